/// adtr detect: a line for each image.
#include <chrono>
#include <cstdio>

#include "adtr/data/image_file.hpp"
#include "backends.hpp"
#include "options.hpp"
#include "output.hpp"

namespace program {

void detect(const DetectOptions& options) {
  require_writable(options.json);
  const auto detector = backend_functions(options.backend).load(options.model, options);
  if (options.threshold) detector->set_threshold(options.threshold);
  const std::optional<double> threshold = detector->description().threshold;
  if (!threshold)
    std::fputs("adtr: the model has no threshold, so scores only (see --threshold, and --hold-out of adtr train)\n",
               stderr);
  MapWriter maps(options.maps, scale_of(detector->description()));
  const auto name = [](const std::string& path) { return std::filesystem::path(path).stem().string(); };
  for (const std::string& path : options.images) maps.claim(name(path), path);
  maps.make_folders();

  Json results = Json::array();
  adtr::Detection detection;
  for (const std::string& path : options.images) {
    using Clock = std::chrono::steady_clock;
    const adtr::Image image = adtr::read_image(path);
    const auto begin = Clock::now();
    detector->detect(image, detection);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    const char* verdict = !threshold ? "" : detection.verdict == adtr::Verdict::anomalous ? "anomalous  " : "good       ";
    std::printf("%s%-10.6g  %s\n", verdict, detection.score, path.c_str());
    std::fflush(stdout);
    maps.write(name(path), detection, detector->resized());
    results.push_back({{"file", path},
                       {"score", detection.score},
                       {"threshold", threshold ? Json(*threshold) : Json()},
                       {"anomalous", threshold ? Json(detection.verdict == adtr::Verdict::anomalous) : Json()},
                       {"seconds", seconds}});
  }
  write_json(options.json, results);
}

}  // namespace program

/// adtr evaluate: a model's figures on a test set.
#include "adtr/evaluate.hpp"

#include <cstdio>

#include "backends.hpp"
#include "options.hpp"
#include "output.hpp"
#include "page.hpp"

namespace program {

namespace {

std::string map_name(const adtr::Sample& sample) { return sample.kind + "/" + sample.path.stem().string(); }

void print_table(const adtr::Evaluation& e, const std::vector<Scored>& images, std::optional<double> threshold) {
  std::printf("%-14s %td good, %td defective\n", "images", e.images_good, e.images_defective);
  for (const Figure& figure : figures(e))
    std::printf("%-14s %s\n", figure.name, figure.value ? text("%.4f", *figure.value).c_str() : "not available");
  std::printf("%-14s %tdx%td\n", "resolution", e.resolution, e.resolution);
  std::printf("%-14s %.1f ms\n", "time an image", 1000 * e.seconds_per_image);
  if (threshold) {
    std::size_t found = 0, passed = 0;
    for (const Scored& scored : images)
      if ((scored.score >= *threshold) == scored.defective) ++(scored.defective ? found : passed);
    std::printf("%-14s %.6g: %zu of %td defects found, %zu of %td good images passed\n", "threshold", *threshold, found,
                e.images_defective, passed, e.images_good);
  }
  for (const std::string& reason : e.reasons) std::printf("%s\n", reason.c_str());
}

Json json_of(const adtr::Evaluation& e, const std::vector<Scored>& images, std::optional<double> threshold) {
  Json json;
  for (const Figure& figure : figures(e)) json[figure.key] = figure.value ? Json(*figure.value) : Json();
  json["resolution"] = e.resolution;
  json["images_good"] = e.images_good;
  json["images_defective"] = e.images_defective;
  json["seconds_per_image"] = e.seconds_per_image;
  json["threshold"] = threshold ? Json(*threshold) : Json();
  json["reasons"] = e.reasons;
  Json& list = json["images"] = Json::array();
  for (const Scored& scored : images)
    list.push_back({{"file", scored.sample->path.string()},
                    {"kind", scored.sample->kind},
                    {"defective", scored.defective},
                    {"score", scored.score}});
  return json;
}

/// The colours of a run come from its own images, which say more than what training knew. Every sixteenth pixel is
/// enough for quantiles.
class RunScale {
 public:
  void add(const adtr::EvaluatedImage& image) {
    const auto& map = image.detection.map;
    std::vector<float>& scores = image.defective ? defective_ : good_;
    for (std::size_t i = 0; i < map.size(); i += 16) scores.push_back(map.data()[i]);
  }
  /// The model's own scale where the set has no good image.
  [[nodiscard]] adtr::HeatScale value(const adtr::ModelDescription& model) const {
    return good_.empty() ? scale_of(model) : adtr::heat_scale(good_, defective_);
  }

 private:
  std::vector<float> good_, defective_;
};

/// What is kept for the overlays, which need the scale of the whole run.
struct KeptMap {
  std::string name;
  adtr::Detection detection;
  adtr::Image resized;
};

}  // namespace

void evaluate(const EvaluateOptions& options) {
  require_writable(options.json);
  require_writable(options.report);
  const adtr::SampleSet samples = adtr::scan_test(options.data);
  const auto detector = backend_functions(options.backend).load(options.model, options);
  const std::optional<double> threshold = detector->description().threshold;
  MapWriter maps(options.maps, scale_of(detector->description()));
  for (const adtr::Sample& sample : samples) maps.claim(map_name(sample), sample.path);
  maps.make_folders();

  ProgressLine line;
  std::vector<Scored> images;
  std::vector<KeptMap> kept;
  RunScale run_scale;
  const auto on_image = [&](const adtr::EvaluatedImage& image) {
    images.push_back({&image.sample, image.detection.score, image.defective});
    run_scale.add(image);
    if (maps.active()) kept.push_back({map_name(image.sample), image.detection, image.resized});
    line.update(text("image %zu/%zu", images.size(), samples.size()));
  };
  const adtr::Evaluation evaluation = adtr::evaluate(*detector, std::span<const adtr::Sample>(samples), on_image);
  const adtr::HeatScale scale = run_scale.value(detector->description());
  maps.set_scale(scale);
  for (const KeptMap& map : kept) maps.write(map.name, map.detection, map.resized);
  line.clear();
  print_table(evaluation, images, threshold);
  write_json(options.json, json_of(evaluation, images, threshold));
  if (!options.report.empty()) {
    write_page(options, *detector, evaluation, images, scale);
    std::printf("report         %s\n", options.report.c_str());
  }
}

}  // namespace program

/// adtr detect: a line for each image, as it is judged.
#include <chrono>
#include <cstdio>
#include <set>

#include "adtr/core/number_text.hpp"
#include "adtr/core/printable.hpp"
#include "adtr/data/folder.hpp"
#include "adtr/data/image_file.hpp"
#include "backends.hpp"
#include "interrupt.hpp"
#include "options.hpp"
#include "output.hpp"

namespace program {

namespace {

/// The images that the command line names, folders replaced by the images in them.
struct Inputs {
  std::vector<std::filesystem::path> images;
  std::vector<std::filesystem::path> folders;
};

Inputs inputs_of(const DetectOptions& options) {
  Inputs inputs;
  for (const std::string& name : options.images) {
    const std::filesystem::path path(name);
    std::error_code error;
    if (!std::filesystem::is_directory(path, error)) {
      inputs.images.push_back(path);
      continue;
    }
    const adtr::SampleSet found = adtr::list_images_of(path, options.scan);
    say_what_was_left(found);
    inputs.folders.push_back(path);
    for (const adtr::Sample& sample : found) inputs.images.push_back(sample.path);
  }
  return inputs;
}

std::string map_name(const std::filesystem::path& image) { return image.stem().string(); }

/// Compares what will be written with what is read, before any work.
void check_files(const DetectOptions& options, const Inputs& inputs, const MapWriter& maps) {
  adtr::FilePlan plan;
  plan.reads("the model", options.model);
  for (const auto& image : inputs.images) plan.reads("the image", image);
  for (const auto& folder : inputs.folders) plan.reads_folder("the images to judge", folder, false);
  std::set<std::filesystem::path> parents;
  for (const auto& image : inputs.images) parents.insert(image.has_parent_path() ? image.parent_path() : ".");
  for (const auto& parent : parents) plan.reads_folder("the images to judge", parent, false);
  if (!options.json.empty()) plan.writes("--json", options.json, adtr::FileKind::json);
  maps.add_to(plan);
  plan.check();
}

/// What every item of the JSON file says of the threshold.
class ItemMaker {
 public:
  ItemMaker(const DetectOptions& options, const adtr::ModelDescription& model)
      : threshold_(model.threshold),
        from_(options.threshold ? Json("--threshold")
              : model.threshold ? Json("model")
                                : Json()) {
    if (const auto bound = false_alarm_bound(model); bound && !options.threshold) bound_ = *bound;
  }

  [[nodiscard]] Json judged(const std::filesystem::path& path, const adtr::Detection& d, double seconds,
                            const adtr::ImageHeader& header) const {
    Json item = begin(path, std::string(adtr::name_of(d.verdict)));
    item["score"] = d.score;
    item.update(threshold());
    item["seconds"] = seconds;
    item["format"] = std::string(header.format);
    item["orientation"] = header.orientation;
    return item;
  }

  [[nodiscard]] Json unreadable(const std::filesystem::path& path, const std::string& sentence) const {
    Json item = begin(path, "unreadable");
    item["score"] = nullptr;
    item.update(threshold());
    item["seconds"] = nullptr;
    item["error"] = adtr::printable(sentence);
    return item;
  }

 private:
  [[nodiscard]] static Json begin(const std::filesystem::path& path, const std::string& verdict) {
    return {{"file", json_name(path)}, {"verdict", verdict}};
  }
  [[nodiscard]] Json threshold() const {
    return {{"threshold", threshold_ ? Json(*threshold_) : Json()},
            {"threshold_from", from_},
            {"false_alarm_rate_bound", bound_}};
  }

  std::optional<double> threshold_;
  Json from_, bound_;
};

void line(const std::string& verdict, const std::string& score, const std::filesystem::path& path) {
  std::printf("%-10s  %-19s  %s\n", verdict.c_str(), score.c_str(), adtr::printable(path.string()).c_str());
  std::fflush(stdout);  // judged one by one, read one by one
}

}  // namespace

int detect(const DetectOptions& options) {
  const Inputs inputs = inputs_of(options);
  MapWriter maps(options.maps);
  for (const auto& image : inputs.images) maps.claim(map_name(image), image);
  check_files(options, inputs, maps);
  require_writable(options.json);
  const auto detector = backend_functions(options.backend).load(options.model, options);
  if (options.threshold) detector->set_threshold(options.threshold);
  const adtr::ModelDescription& model = detector->description();
  if (!model.threshold)
    say("the model has no threshold, so every verdict is 'undecided': give --threshold, or train again with more good "
        "images (50 or more, or --hold-out)");
  maps.make_folders();

  const ItemMaker item(options, model);
  JsonList results(options.json);
  adtr::Detection detection;
  std::size_t done = 0, unreadable = 0;
  for (const auto& path : inputs.images) {
    if (interrupted() != 0) break;
    ++done;
    adtr::ImageHeader header;
    std::optional<adtr::Image> image;
    try {
      image = adtr::read_image(path, &header);
    } catch (const adtr::Error& error) {
      ++unreadable;
      line("unreadable", "-", path);
      say(error.what());
      results.add(item.unreadable(path, error.what()));
      continue;
    }
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    detector->detect(*image, detection);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    line(std::string(adtr::name_of(detection.verdict)), adtr::number_text(detection.score), path);
    results.add(item.judged(path, detection, seconds, header));
    if (maps.active()) {
      maps.write_picture(map_name(path), detection.map, detector->resized(), scale_of(model));
      maps.write_scores(map_name(path), detection);
    }
  }
  results.commit();
  if (done < inputs.images.size())
    throw Interrupted(text("interrupted: %zu of %zu images were judged", done, inputs.images.size()) +
                      (options.json.empty() ? "" : "; " + options.json + " has their results"));
  if (unreadable > 0 && inputs.images.size() > 1)
    say(text("%zu of %zu images could not be judged", unreadable, inputs.images.size()));
  return unreadable > 0 ? 1 : 0;
}

}  // namespace program

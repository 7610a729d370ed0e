/// Turns the options of adtr_paper into requests for train_model().
#pragma once

#include <filesystem>

#include "cell.hpp"
#include "experiments.hpp"
#include "output.hpp"

namespace paper {

/// The category folders under `data` (those with train/good and test in them), or `data` itself.
[[nodiscard]] inline std::vector<std::filesystem::path> categories(const std::filesystem::path& data) {
  const auto is_category = [](const std::filesystem::path& folder) {
    return std::filesystem::is_directory(folder / "train" / "good") && std::filesystem::is_directory(folder / "test");
  };
  if (is_category(data)) return {data};
  std::vector<std::filesystem::path> found;
  adtr::expect_folder(data);
  for (const auto& folder : adtr::detail::list_folders(data))
    if (is_category(folder)) found.push_back(folder);
  if (found.empty())
    throw adtr::file_error(data.string(), "expected folders that contain train/good and test, found none");
  return found;
}

/// The name of a category is the name of its folder.
[[nodiscard]] inline std::string name_of_set(const std::filesystem::path& category) {
  return std::filesystem::weakly_canonical(category).filename().string();
}

/// The architecture that a weights file names, or the given one. Throws Error if there is neither.
[[nodiscard]] inline adtr::NamedArchitecture architecture_of(const Options& options, const std::string& weights) {
  return adtr::describe_weights(adtr::SafetensorsFile::open(weights), options.architecture);
}

/// Gives the cell its backbone and the request of the first stage, which trains on normal images only.
inline void set_first_stage(Cell& cell, const Options& options, const std::string& weights, std::uint64_t seed) {
  cell.weights = weights;
  cell.backbone = std::string(adtr::name_of(architecture_of(options, weights).architecture));
  adtr::TrainingRequest& r = cell.request;
  r = options.request;
  r.hold_out = 0.0;  // as in the paper, train on all good images: figures need no threshold
  r.options = options.changes.applied_to(adtr::training_options(r.options.recipe));
  r.options.seed = seed;
}

/// Gives the cell the images of a category, and reports on stderr what the scans left out.
inline void set_images(Cell& cell, const std::filesystem::path& category) {
  cell.request.good = adtr::scan_training(category);
  cell.test = adtr::scan_test(category);
  for (const adtr::SampleSet* set : {&cell.request.good, &cell.test}) program::say_what_was_left(*set);
}

/// Turns it into the request of the second stage, which continues from the first model with anomalies and this loss.
inline void set_second_stage(Cell& cell, const Options& options, const std::string& start, adtr::Loss loss) {
  adtr::TrainingOptions& o = cell.request.options;
  const adtr::TrainingOptions first = o;
  cell.origin["first_stage_epochs"] = first.epochs;
  cell.system = "ADTR+";
  cell.request.start = start;
  o = adtr::second_stage_options(first.recipe);
  o.loss = loss;
  o.epochs = options.epochs_plus.value_or(o.epochs);
  o.batch = first.batch;
  o.jitter = first.jitter;
  o.pooling = first.pooling;
  o.seed = first.seed;
}

}  // namespace paper

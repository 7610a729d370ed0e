/// Trains and measures a cell, for the files that name networks: each compiles all of training for each of its own.
#pragma once

#include <filesystem>

#include "adtr/evaluate.hpp"
#include "adtr/train/train_model.hpp"
#include "cell.hpp"

namespace paper {

/// The figures of a detector on the cell's test set.
template <class AnyDetector>
Json figures_of(AnyDetector& detector, const Cell& cell) {
  std::vector<double> means;
  std::vector<std::uint8_t> labels;
  adtr::SampleSet test = cell.test;
  const adtr::Evaluation e = adtr::evaluate(detector, test, [&](const adtr::EvaluatedImage& image) {
    const auto& map = image.detection.map;
    double sum = 0.0;
    for (const float score : map) sum += static_cast<double>(score);
    means.push_back(sum / static_cast<double>(map.size()));
    labels.push_back(image.defective ? 1 : 0);
  });
  // A row of a table describes a whole test set.
  if (!e.unreadable.empty()) throw adtr::Error(e.unreadable.front().sentence, adtr::ErrorCode::bad_image);
  Json figures;
  const auto put = [&](const char* name, const std::optional<double>& value) {
    if (value) figures[name] = *value;
  };
  put("image_auroc", e.value("image_auroc"));
  if (e.value("image_auroc"))
    put("image_auroc_mean", adtr::auroc(adtr::Ranking{std::span<const double>(means), labels}));
  put("pixel_auroc", e.value("pixel_auroc"));
  put("aupro", e.value("aupro"));
  return figures;
}

/// The figures of the model `path` on the cell's test set.
template <class N>
Json measure(const Cell& cell, const std::string& path) {
  auto detector = adtr::Detector<adtr::Cpu, adtr::Networks<N>>::load(path, cell.request.threads);
  return figures_of(detector, cell);
}

/// Trains the cell's model and measures it, at the end and after every `curve` epochs (0: only at the end), unless a
/// row says that this was done. A killed run continues from its checkpoint.
template <class N>
void run_cell(Results& results, Cell cell, adtr::Index curve) {
  const std::string key = key_of(cell);
  const Json* known = results.find(key, settings_of(cell));
  Json row = known != nullptr ? *known : new_row(cell);
  adtr::TrainingRequest& request = cell.request;
  request.out = model_file(results, cell);
  if (request.start.empty()) {
    request.weights = cell.weights;
    request.architecture = cell.backbone;
  }
  program::ProgressLine line;
  if (row["state"] != "done" && row["state"] != "trained") {
    request.resume = std::filesystem::exists(request.out + ".checkpoint");
    if (request.resume) row["resumed"] = true;
    request.snapshot_epochs = curve;
    adtr::TrainingProgress progress = progress_on(line, key);
    progress.snapshot = [&](adtr::Index epoch, const std::string& path) {
      Json point{{"epoch", epoch}}, points = Json::array();
      point.update(measure<N>(cell, path));
      for (const Json& earlier : row["curve"])
        if (earlier["epoch"] < epoch) points.push_back(earlier);
      points.push_back(point);
      row["curve"] = points;
      results.put(row);
    };
    results.put(row);
    const adtr::TrainingResult trained = adtr::train_model<adtr::Cpu, adtr::Networks<N>>(request, progress);
    row["seconds_features"] = trained.seconds_features;
    row["seconds_training"] = trained.seconds_training;
    row["state"] = "trained";
    results.put(row);
  }
  if (row["state"] != "done") {
    row["figures"] = measure<N>(cell, request.out);
    row["state"] = "done";
    results.put(row);
  }
  line.finish(key + "  " + row["figures"].dump());
}

/// Runs the cell with the network of the list that fits it.
template <class Nets>
void run_with(Nets nets, Results& results, const Cell& cell, adtr::Index curve) {
  const auto architecture = adtr::parse_architecture(cell.backbone).architecture;
  adtr::select_network(nets, architecture, cell.request.image_size, cell.request.grid, [&]<class N>() {
    run_cell<N>(results, cell, curve);
    return true;
  });
}

}  // namespace paper

/// What the command line says, one struct a command, and the commands. An option is a field here, or one of
/// TrainingRequest or TrainingOptions, and a row in main.cpp. Only the fields' initialisers hold defaults.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adtr/train/training_request.hpp"
#include "training_changes.hpp"

namespace program {

struct CommonOptions {
  std::string backend = "cpu", precision = "float32";
  int threads = 0;
};

struct TrainOptions : CommonOptions {
  adtr::TrainingRequest request;  ///< without images, and with no options except the recipe
  TrainingChanges changes;        ///< the fields of request.options that were given
  std::optional<adtr::Loss> loss;
  std::string data, defects, json;
  adtr::ScanOptions scan;
};

struct EvaluateOptions : CommonOptions {
  std::string model, data, json, maps, report;
  std::string scoring;  ///< a method's name, "all", or empty for the model's own
  adtr::ScanOptions scan;
};

struct DetectOptions : CommonOptions {
  std::string model, json, maps;
  std::vector<std::string> images;
  std::optional<double> threshold;
  adtr::ScanOptions scan;
};

struct InfoOptions : CommonOptions {
  std::string file;
  bool tensors = false;
};

/// Each gives the exit status, 0 or, where some inputs could not be judged, 1, and throws adtr::Error where it fails.
[[nodiscard]] int train(const TrainOptions& options);
[[nodiscard]] int evaluate(const EvaluateOptions& options);
[[nodiscard]] int detect(const DetectOptions& options);
[[nodiscard]] int info(const InfoOptions& options);

}  // namespace program

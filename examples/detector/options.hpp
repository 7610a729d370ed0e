/// What the command line says, one struct a command, and the commands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adtr/core/extents.hpp"

namespace program {

struct CommonOptions {
  std::string backend = "cpu", precision = "float32";
  int threads = 0;
};

struct TrainOptions : CommonOptions {
  std::string data, backbone, start, out, architecture, json;
  std::string anomalies, defects, loss;
  std::string recipe = "fast";
  bool mirror = false;
  /// Absent: as the recipe has it.
  std::optional<adtr::Index> epochs, batch;
  std::optional<double> learning_rate, weight_decay, dropout, jitter;
  double clip = 0.0;
  double alpha = 0.003, anomaly_probability = 0.5;
  adtr::Index top_k = 20;
  adtr::Index image_size = 256, grid = 16;
  std::optional<double> hold_out;  ///< absent: a fifth, of enough images
  double false_alarm_rate = 0.0;
  bool allow = false;
  std::uint64_t seed = 0;
  bool resume = false;
  double checkpoint_seconds = 30.0;
  std::uint64_t cache_mebibytes = 4096;
};

struct EvaluateOptions : CommonOptions {
  std::string model, data, json, maps, report;
  bool allow = false;
};

struct DetectOptions : CommonOptions {
  std::string model, json, maps;
  std::vector<std::string> images;
  std::optional<double> threshold;
  bool allow = false;
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

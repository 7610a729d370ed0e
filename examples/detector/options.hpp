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
  double hold_out = 0.0, false_alarm_rate = 0.0;
  std::uint64_t seed = 0;
  bool resume = false;
  double checkpoint_seconds = 30.0;
  std::uint64_t cache_mebibytes = 4096;
};

struct EvaluateOptions : CommonOptions {
  std::string model, data, json, maps, report;
};

struct DetectOptions : CommonOptions {
  std::string model, json, maps;
  std::vector<std::string> images;
  std::optional<double> threshold;
};

struct InfoOptions : CommonOptions {
  std::string file;
  bool tensors = false;
};

/// Each throws adtr::Error where it fails.
void train(const TrainOptions& options);
void evaluate(const EvaluateOptions& options);
void detect(const DetectOptions& options);
void info(const InfoOptions& options);

}  // namespace program

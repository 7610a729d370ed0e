/// What a training run is asked for, what it says on its way, and what it did.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "adtr/data/folder.hpp"
#include "adtr/metrics/threshold.hpp"
#include "adtr/models/description.hpp"
#include "adtr/train/recipe.hpp"

namespace adtr::inline ADTR_ABI {

/// What to train on, with what, and where the model goes.
struct TrainingRequest {
  SampleSet good;  ///< training images, as scan_training() finds them
  /// Trains on each of them in its three mirror images too, so that an epoch is four times as long: for parts that may
  /// lie any way round. Images that are held out stay as they are.
  bool mirror = false;
  std::string weights;       ///< safetensors file of a backbone; empty where `start` is given
  std::string architecture;  ///< where the weights file does not name it; else may be empty
  /// Model to go on from, with its backbone, image size, grid, feature statistics and kind of image score; empty: from
  /// the beginning. The second stage of the paper's training with anomalies (second_stage_options()).
  std::string start;
  /// Anomalies to train with (options.loss is then pixel or image): confetti on the good images, made anew in every
  /// step, defects as scan_defects() finds them, or both, each for half of the replaced images. Loss::pixel needs the
  /// masks of all defects. Images that were trained on must not be evaluated on.
  bool confetti = false;
  SampleSet defects;
  std::string out;  ///< model file to write; `<out>.checkpoint` while training
  Index image_size = 256;
  Index grid = 16;
  TrainingOptions options;
  double hold_out = 0.0;          ///< share of the good images that is kept for the threshold, in [0, 1)
  double false_alarm_rate = 0.0;  ///< of those, how many may lie at or above the threshold
  bool resume = false;            ///< go on with `<out>.checkpoint`
  double checkpoint_seconds = 30.0;
  Index snapshot_epochs = 0;  ///< calls TrainingProgress::snapshot after every so many epochs but the last; 0: never
  std::uint64_t cache_memory = std::uint64_t{4} << 30;  ///< bytes of features to keep in memory; beyond, a file
  int threads = 0;
};

/// Called as a run goes on; each may be empty.
struct TrainingProgress {
  /// Images whose features are computed, of how many.
  std::function<void(Index done, Index images)> features;
  struct Epoch {
    Index epoch, epochs;         ///< epoch counts from 1
    Index images_done, images;   ///< within the epoch
    std::optional<double> loss;  ///< the epoch's mean, at its end
    double images_per_second, seconds_left;
  };
  std::function<void(const Epoch&)> epoch;
  /// The model after `epoch` epochs, in a file that is there until the call returns.
  std::function<void(Index epoch, const std::string& path)> snapshot;
};

/// What a run did.
struct TrainingResult {
  ModelDescription description;
  Index images = 0;  ///< trained on, mirror images among them
  Index held_out = 0, defects = 0;
  std::vector<double> losses;  ///< of the epochs of this process, on the features as they are trained on
  std::optional<GoodThreshold> threshold;
  double seconds_features = 0.0, seconds_training = 0.0;
};

}  // namespace adtr::inline ADTR_ABI

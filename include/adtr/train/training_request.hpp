/// The input of a training run, its progress reports and its result.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "adtr/data/folder.hpp"
#include "adtr/metrics/threshold.hpp"
#include "adtr/models/description.hpp"
#include "adtr/train/hold_out.hpp"
#include "adtr/train/recipe.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// What to train on, how, and where to write the model.
struct TrainingRequest {
  SampleSet good;  ///< training images, as scan_training() finds them
  /// Also trains on the three mirror images of each image, so an epoch is four times as long: for parts that may lie in
  /// any orientation. Held-out images are not mirrored.
  bool mirror = false;
  std::string weights;       ///< safetensors file of a backbone; empty if `start` is given
  std::string architecture;  ///< needed if the weights file does not name it; otherwise optional
  /// Model to continue from, with its backbone, image size, grid, pooling, feature statistics and kind of image score;
  /// empty: train from the beginning. Used for the second stage of the paper's training with anomalies
  /// (second_stage_options()).
  std::string start;
  /// Anomalies to train with (options.loss is then pixel or image): confetti on the good images, different in every
  /// step; defects as found by scan_defects(); or both, each for half of the replaced images. Loss::pixel needs a mask
  /// for every defect. Do not evaluate on images that were trained on.
  bool confetti = false;
  SampleSet defects;
  std::string out;  ///< model file to write; the checkpoint is `<out>.checkpoint`
  Index image_size = 256;
  Index grid = 16;
  TrainingOptions options;
  /// Share of the good images held out for the threshold, in [0, 1). Default: a fifth from 50 good images on, at most
  /// 300 images (see hold_out.hpp); with `start`, the images that its model was not trained on. A model without
  /// held-out images has no threshold, and its verdict is "undecided".
  std::optional<double> hold_out;
  double false_alarm_rate = 0.0;  ///< share of the held-out images that may lie at or above the threshold
  /// Resume from `<out>.checkpoint`, which must exist. Without `resume`, an existing checkpoint is never overwritten:
  /// the run stops with an error.
  bool resume = false;
  /// Seconds between checkpoints: one is written after the first step that ends at least this long after the previous
  /// checkpoint, so a killed run loses little more. 0: after every epoch.
  double checkpoint_seconds = 30.0;
  Index snapshot_epochs = 0;  ///< epochs between TrainingProgress::snapshot calls, none after the last epoch; 0: never
  std::uint64_t cache_memory = std::uint64_t{4} << 30;  ///< bytes of features in memory; a larger cache is a file
  int threads = 0;
};

/// Callbacks of a run; each may be empty.
struct TrainingProgress {
  /// Number of images whose features are computed, and the total.
  std::function<void(Index done, Index images)> features;
  struct Epoch {
    Index epoch, epochs;         ///< epoch counts from 1
    Index images_done, images;   ///< within the epoch
    std::optional<double> loss;  ///< mean over the epoch; only at its end
    double images_per_second, seconds_left;
  };
  std::function<void(const Epoch&)> epoch;
  /// The model after `epoch` epochs, in a file that exists until the call returns. A resumed run may report one epoch a
  /// second time.
  std::function<void(Index epoch, const std::string& path)> snapshot;
  /// Returns whether to stop. Called on the thread that called train_model(), after each image that is read, computed
  /// or scored and after each training step. Once it returns true the run ends: if training has begun, the finished
  /// steps are saved to `<out>.checkpoint`, and Error(cancelled) says what was saved and how to resume. Use this to end
  /// a run. If a callback throws, the finished steps are saved too, and its exception propagates.
  std::function<bool()> cancelled;
};

/// The result of a run.
struct TrainingResult {
  ModelDescription description;
  Index images = 0;  ///< images trained on, including mirror images
  Index good = 0;    ///< good images given, including held-out ones, excluding mirror images
  Index held_out = 0, defects = 0;
  Index turned = 0;      ///< images whose orientation tag was applied
  Index soft_masks = 0;  ///< masks with more than two values, which were cut at half of their range
  HoldOutRule hold_out_rule = HoldOutRule::automatic;
  /// Why the threshold promises less than it says: the model in `start` was trained on held-out images. Otherwise
  /// empty.
  std::string hold_out_caution;
  std::vector<double> losses;  ///< mean of each epoch, on the features as trained on
  std::optional<GoodThreshold> threshold;
  double seconds_features = 0.0, seconds_training = 0.0;
};

/// A sentence for the user if the model has no threshold, or one that promises less than it says; otherwise empty.
[[nodiscard]] inline std::string threshold_advice(const TrainingResult& result) {
  if (result.threshold) return result.hold_out_caution;
  const std::string undecided = "the model has no threshold, so its verdict is 'undecided': ";
  if (result.hold_out_rule == HoldOutRule::asked)
    return undecided + "no good image was held out, as --hold-out 0 (TrainingRequest::hold_out) requests";
  if (result.hold_out_rule == HoldOutRule::continued)
    return undecided +
           "the model that training continued from was trained on all good images, so none could be held out";
  return undecided + std::to_string(result.good) + (result.good == 1 ? " good image is" : " good images are") +
         " fewer than the " + std::to_string(hold_out_from) +
         " from which a fifth is held out by default; add images or pass --hold-out 0.2 (TrainingRequest::hold_out)";
}

}  // namespace ADTR_ABI
}  // namespace adtr

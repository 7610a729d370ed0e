/// What a training run is asked for, what it says on its way, and what it did.
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
  /// Share of the good images that is kept apart for the threshold, in [0, 1). Where nobody says: a fifth from 50 good
  /// images on, at most 300 images (see hold_out.hpp), and with `start` the images that its model was not trained on.
  /// A model without held-out images has no threshold, and its verdict is "undecided".
  std::optional<double> hold_out;
  double false_alarm_rate = 0.0;  ///< of those, how many may lie at or above the threshold
  /// Go on with `<out>.checkpoint`, which must be there. Without it, one that is there is not written over.
  bool resume = false;
  /// A checkpoint is written after the first step that ends so many seconds after the last one was written; a run that
  /// is killed loses no more than that. 0: after every epoch.
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
  /// The model after `epoch` epochs, in a file that is there until the call returns. A run that is resumed may show one
  /// a second time.
  std::function<void(Index epoch, const std::string& path)> snapshot;
  /// Whether to stop; asked after each image that is read, computed or scored, and after each training step, on the
  /// thread that called train_model(). Once it has said yes the run ends: where training has begun, the finished steps
  /// are saved to `<out>.checkpoint`, and Error(cancelled) says what was kept and how to go on. That is the way to end
  /// a run; where a callback throws, the finished steps are saved too, and its exception goes on.
  std::function<bool()> cancelled;
};

/// What a run did.
struct TrainingResult {
  ModelDescription description;
  Index images = 0;  ///< trained on, mirror images among them
  Index good = 0;    ///< good images that were given, those held out among them, without mirror images
  Index held_out = 0, defects = 0;
  Index turned = 0;      ///< images whose orientation tag was applied
  Index soft_masks = 0;  ///< masks of more than two values, which were cut at half of their range
  HoldOutRule hold_out_rule = HoldOutRule::automatic;
  /// Why the threshold promises less than it says: the model in `start` was trained on held-out images. Else empty.
  std::string hold_out_caution;
  std::vector<double> losses;  ///< of all epochs, on the features as they are trained on
  std::optional<GoodThreshold> threshold;
  double seconds_features = 0.0, seconds_training = 0.0;
};

/// A sentence for the user on a model without a threshold, or with one that promises less than it says; else empty.
[[nodiscard]] inline std::string threshold_advice(const TrainingResult& result) {
  if (result.threshold) return result.hold_out_caution;
  const std::string undecided = "the model has no threshold, so its verdict is 'undecided': ";
  if (result.hold_out_rule == HoldOutRule::asked)
    return undecided + "no good image was kept apart, as --hold-out 0 (TrainingRequest::hold_out) asks";
  if (result.hold_out_rule == HoldOutRule::continued)
    return undecided +
           "the model that training went on from was trained on all of its good images, so none is left to keep apart";
  return undecided + std::to_string(result.good) + (result.good == 1 ? " good image is" : " good images are") +
         " fewer than the " + std::to_string(hold_out_from) +
         " from which on a fifth is kept apart; add images or give --hold-out 0.2 (TrainingRequest::hold_out)";
}

}  // namespace ADTR_ABI
}  // namespace adtr

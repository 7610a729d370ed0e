/// Trains models with the compiled library adtr::runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adtr/runtime/detector.hpp"
#include "adtr/runtime/failure.hpp"
#include "adtr/train/training_options.hpp"

namespace adtr::runtime {

inline namespace ADTR_RUNTIME_ABI {

/// What to train on, how, and where to write the model; adtr::TrainingRequest with folders instead of lists of images.
struct TrainingRequest {
  std::string good;  ///< folder of good images, or one with MVTec's layout, see adtr::scan_training()
  /// Whether contradicting labels, and a folder most of whose images are left out, are allowed instead of an error.
  bool allow = false;
  bool mirror = false;       ///< also train on the three mirror images of each image
  std::string weights;       ///< safetensors file of a backbone; empty if `start` is given
  std::string architecture;  ///< needed if the weights file does not name it; otherwise optional
  std::string start;         ///< model to continue from; empty: train from the beginning
  bool confetti = false;     ///< train with artificial anomalies (options.loss is then pixel or image)
  std::string defects;       ///< folder of real defects to train with, see adtr::scan_defects(); may be empty
  std::string out;           ///< model file to write; the checkpoint is `<out>.checkpoint`
  Index image_size = 256;
  Index grid = 16;
  TrainingOptions options;
  std::optional<double> hold_out;  ///< share of the good images held out for the threshold; empty: the default
  double false_alarm_rate = 0.0;   ///< share of the held-out images that may lie at or above the threshold
  bool resume = false;             ///< resume from `<out>.checkpoint`, which must exist
  double checkpoint_seconds = 30.0;
  std::uint64_t cache_memory = std::uint64_t{4} << 30;  ///< bytes of features in memory; a larger cache is a file
  int threads = 0;                                      ///< 0: all processors of the machine
};

/// What a run reports, to override as needed; the compiled form of adtr::TrainingProgress. If a function throws, the
/// finished steps are saved and its exception propagates.
class TrainingProgress {
 public:
  struct Epoch {
    Index epoch, epochs;         ///< epoch counts from 1
    Index images_done, images;   ///< within the epoch
    std::optional<double> loss;  ///< mean over the epoch; only at its end
    double images_per_second, seconds_left;
  };

  virtual ~TrainingProgress() = default;
  /// Number of images whose features are computed, and the total.
  virtual void on_features(Index /*done*/, Index /*images*/) {}
  virtual void on_epoch(const Epoch& /*epoch*/) {}
  /// Returns whether to stop; see adtr::TrainingProgress::cancelled.
  virtual bool cancelled() { return false; }
};

/// The threshold of a model and what it promises; see adtr::GoodThreshold.
struct Threshold {
  double value;              ///< score ≥ value is anomalous
  std::size_t good_images;   ///< number of held-out good images
  std::size_t false_alarms;  ///< how many of them have score ≥ value
  double expected_rate;      ///< mean of the true false-alarm rate over such draws of images
  double upper_bound;        ///< the true false-alarm rate is not above this, with `confidence`
  double confidence;
};

/// The result of a run.
struct TrainingResult {
  ModelSummary model;
  Index images = 0;  ///< images trained on, including mirror images
  Index good = 0;    ///< good images given, including held-out ones, excluding mirror images
  Index held_out = 0, defects = 0;
  std::vector<double> losses;  ///< mean of each epoch
  std::optional<Threshold> threshold;
  /// Sentences for the user: why there is no threshold, what the scan of the folders left out, what was allowed.
  std::vector<std::string> remarks;
  double seconds_features = 0.0, seconds_training = 0.0;
};

/// For train().
ADTR_RUNTIME_API TrainingResult train_model(const TrainingRequest& request, TrainingProgress& progress,
                                            Failure& failure) noexcept;

}  // namespace ADTR_RUNTIME_ABI

inline namespace ADTR_ABI {

/// Trains a model on the Cpu backend and writes it to request.out; the compiled form of adtr::train_model(). Throws
/// Error naming the file, folder or option, and Error (cancelled) if TrainingProgress::cancelled requested a stop.
inline TrainingResult train(const TrainingRequest& request, TrainingProgress& progress) {
  return detail::checked(&train_model, request, progress);
}
inline TrainingResult train(const TrainingRequest& request) {
  TrainingProgress silent;
  return train(request, silent);
}

}  // namespace ADTR_ABI

}  // namespace adtr::runtime

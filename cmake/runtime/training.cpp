/// adtr::runtime: training.
#include "adtr/train/train_model.hpp"

#include "compiled.hpp"

namespace adtr::runtime {

namespace {

adtr::TrainingRequest full_request(const TrainingRequest& r) {
  adtr::TrainingRequest full;
  const ScanOptions scan{.allow = r.allow};
  full.good = scan_training(r.good, scan);
  if (!r.defects.empty()) full.defects = scan_defects(r.defects, scan);
  full.mirror = r.mirror;
  full.weights = r.weights;
  full.architecture = r.architecture;
  full.start = r.start;
  full.confetti = r.confetti;
  full.out = r.out;
  full.image_size = r.image_size;
  full.grid = r.grid;
  full.options = r.options;
  full.hold_out = r.hold_out;
  full.false_alarm_rate = r.false_alarm_rate;
  full.resume = r.resume;
  full.checkpoint_seconds = r.checkpoint_seconds;
  full.cache_memory = r.cache_memory;
  full.threads = r.threads;
  return full;
}

adtr::TrainingProgress full_progress(TrainingProgress& progress) {
  adtr::TrainingProgress full;
  full.features = [&](Index done, Index images) { progress.on_features(done, images); };
  full.epoch = [&](const adtr::TrainingProgress::Epoch& e) {
    progress.on_epoch({e.epoch, e.epochs, e.images_done, e.images, e.loss, e.images_per_second, e.seconds_left});
  };
  full.cancelled = [&] { return progress.cancelled(); };
  return full;
}

TrainingResult result_of(const adtr::TrainingResult& full, const adtr::TrainingRequest& request) {
  TrainingResult result;
  result.model = summarised(full.description);
  result.images = full.images;
  result.good = full.good;
  result.held_out = full.held_out;
  result.defects = full.defects;
  result.losses = full.losses;
  if (const auto& t = full.threshold)
    result.threshold = {t->value, t->good_images, t->false_alarms, t->expected_rate, t->upper_bound, t->confidence};
  if (std::string advice = threshold_advice(full); !advice.empty()) result.remarks.push_back(std::move(advice));
  for (const SampleSet* set : {&request.good, &request.defects}) {
    if (!set->left_out.empty()) result.remarks.push_back(describe(set->left_out));
    for (const std::string& contradiction : set->allowed) result.remarks.push_back("allowed: " + contradiction);
  }
  result.seconds_features = full.seconds_features;
  result.seconds_training = full.seconds_training;
  return result;
}

}  // namespace

inline namespace ADTR_RUNTIME_ABI {

TrainingResult train_model(const TrainingRequest& request, TrainingProgress& progress, Failure& failure) noexcept {
  return guarded(failure, [&] {
    const adtr::TrainingRequest full = full_request(request);
    return result_of(adtr::train_model<Cpu, CompiledNetworks>(full, full_progress(progress)), full);
  });
}

}  // namespace ADTR_RUNTIME_ABI

}  // namespace adtr::runtime

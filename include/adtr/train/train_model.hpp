/// A complete training run: reads images and backbone weights, or a model to continue from, and writes a model file.
#pragma once

#include <new>
#include <string>

#include "adtr/io/atomic_file.hpp"
#include "adtr/train/check_request.hpp"
#include "adtr/train/request_files.hpp"
#include "adtr/train/training_run.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// Throws the Error of a run that was cancelled before there was work to save.
[[noreturn]] inline void throw_interrupted_early(const TrainingRequest& r, const std::string& doing) {
  throw Error("training was interrupted " + doing + "; nothing was saved" +
                  (r.resume ? ", and " + checkpoint_path(r) + " is unchanged" : "; start it again"),
              ErrorCode::cancelled);
}

/// Reads all images and returns their fingerprints.
inline ImageFingerprints read_all_images(const TrainingRequest& r, const TrainingProgress& progress) try {
  ImageFingerprints images;
  images.good = read_images(r.good, progress, images);
  images.defects = read_images(r.defects, progress, images);
  return images;
} catch (const Interruption&) {
  throw_interrupted_early(r, "while its images were read");
}

/// Checks everything that can be checked before an image is read, so that errors cost no time.
template <class Nets>
HoldOut check_before_images(const TrainingRequest& r, const TrainingOrigin& origin) {
  const ModelDescription& d = origin.description;
  check(r.options, d.grid * d.grid);
  select_network(Nets{}, d.architecture, d.image_size, d.grid, [&]<class N>() { return true; });
  const HoldOut held = hold_out_of(r, origin);
  check_earlier_work(r, identity_before_images(r, d, held));
  AtomicFile{r.out};  // throws if the model could not be written
  return held;
}

}  // namespace detail

/// Trains a model and writes it to request.out. Checks the options before reading a file; opens every image and tries
/// the output before any long step, so that a run does not fail over them after an hour. Throws Error naming the file
/// or option, and Error(cancelled) if TrainingProgress::cancelled requested a stop. The backend computes on `context`;
/// `request.threads` is ignored.
template <Backend B = Cpu, class Nets = DefaultNetworks>
TrainingResult train_model(const TrainingRequest& request, const typename B::Context& context,
                           const TrainingProgress& progress = {}) try {
  check(request);
  check_distinct(request.good, request.defects);
  file_plan(request).check();
  const detail::TrainingOrigin origin = detail::TrainingOrigin::of(request);
  const HoldOut held = detail::check_before_images<Nets>(request, origin);
  const ModelDescription& d = origin.description;
  detail::PreparedRun prepared{origin, held, detail::read_all_images(request, progress),
                               detail::identity_before_images(request, d, held)};
  detail::check_held_out_images(request, origin, held, prepared.images.good);
  detail::add_images(prepared.identity, prepared.images);
  try {
    return select_network(Nets{}, d.architecture, d.image_size, d.grid,
                          [&]<class N>() { return detail::TrainingRun<N, B>(request, context, prepared, progress)(); });
  } catch (const detail::Interruption&) {
    detail::throw_interrupted_early(request, "while the features of its images were computed");
  }
} catch (const std::bad_alloc&) {
  throw Error("the system has no memory left for training; the features of the images may take up to " +
                  std::to_string(request.cache_memory >> 20) +
                  " MiB of it (TrainingRequest::cache_memory, --cache-memory), a batch and the network take the rest",
              ErrorCode::no_resources);
}

/// The same on request.threads threads.
template <Backend B = Cpu, class Nets = DefaultNetworks>
TrainingResult train_model(const TrainingRequest& request, const TrainingProgress& progress = {}) {
  check(request);  // before any thread is created
  return train_model<B, Nets>(request, typename B::Context(request.threads), progress);
}

}  // namespace ADTR_ABI
}  // namespace adtr

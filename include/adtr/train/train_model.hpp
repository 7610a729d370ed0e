/// The whole of a training run: image files and backbone weights, or a model to go on from, in; a model file out.
#pragma once

#include "adtr/train/training_run.hpp"

namespace adtr::inline ADTR_ABI {

/// Trains and writes request.out. Every image is opened before anything long begins, and the output tried, so that a
/// run does not fail over a broken file after an hour. Throws Error, naming the file or option. `context`, and
/// not `request.threads`, says where the backend computes.
template <Backend B = Cpu, class Nets = DefaultNetworks>
TrainingResult train_model(const TrainingRequest& request, const typename B::Context& context,
                           const TrainingProgress& progress = {}) {
  const detail::TrainingOrigin origin = detail::TrainingOrigin::of(request);
  if (request.good.empty()) throw Error("training: expected good images, found none");
  detail::check_anomalies(request);
  check_images(request.good);
  check_images(request.defects);
  check_distinct(request.good, request.defects);
  AtomicFile{request.out};  // throws where the model could not be written
  const ModelDescription& d = origin.description;
  return select_network(Nets{}, d.architecture, d.image_size, d.grid,
                        [&]<class N>() { return detail::TrainingRun<N, B>(request, context, origin, progress)(); });
}

/// The same on as many threads as the request says.
template <Backend B = Cpu, class Nets = DefaultNetworks>
TrainingResult train_model(const TrainingRequest& request, const TrainingProgress& progress = {}) {
  return train_model<B, Nets>(request, typename B::Context(request.threads), progress);
}

}  // namespace adtr::inline ADTR_ABI

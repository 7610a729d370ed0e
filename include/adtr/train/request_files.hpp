/// The files that a training run reads and writes.
#pragma once

#include "adtr/io/file_plan.hpp"
#include "adtr/train/training_request.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Lists all files that train_model() reads and writes. A program adds its own outputs and calls check(); train_model()
/// itself checks only its own files.
[[nodiscard]] inline FilePlan file_plan(const TrainingRequest& r) {
  FilePlan plan;
  if (!r.weights.empty()) plan.reads("the backbone's weights", r.weights);
  if (!r.start.empty()) plan.reads("the model to continue from", r.start);
  for (const SampleSet* set : {&r.good, &r.defects})
    for (const Sample& sample : *set) {
      if (!sample.image) plan.reads(set == &r.good ? "a training image" : "an image with defects", sample.path);
      if (sample.mask) plan.reads("a mask", *sample.mask);
    }
  plan.writes("the model", r.out, FileKind::model);
  plan.writes("the checkpoint", r.out + ".checkpoint", FileKind::checkpoint);
  return plan;
}

}  // namespace ADTR_ABI
}  // namespace adtr

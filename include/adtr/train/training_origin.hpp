/// What a training run begins with: weights of a backbone or a model, and anomalies that fit the loss.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "adtr/train/training_request.hpp"
#include "adtr/weights/safetensors.hpp"

namespace adtr::inline ADTR_ABI::detail {

/// The file that a run begins with, of a backbone's weights or a model, and what it says.
struct TrainingOrigin {
  SafetensorsFile file;
  ModelDescription description;

  [[nodiscard]] static TrainingOrigin of(const TrainingRequest& r) {
    if (!r.start.empty() && !r.weights.empty())
      throw Error("training: expected a backbone or a model to start from, found both (" + r.weights + ", " + r.start +
                  ")");
    if (r.start.empty()) {
      TrainingOrigin origin{SafetensorsFile::open(r.weights), {}};
      const NamedArchitecture named = describe_weights(origin.file, r.architecture);
      ModelDescription& d = origin.description;
      d.architecture = named.architecture;
      d.numerics = named.numerics;
      d.image_size = r.image_size;
      d.grid = r.grid;
      d.scoring = r.options.recipe == Recipe::fast ? Scoring::taps : Scoring::norm;
      return origin;
    }
    TrainingOrigin origin{SafetensorsFile::open(r.start), {}};
    origin.description = read_description(origin.file);
    origin.description.threshold.reset();
    std::map<std::string, std::string> notes;
    for (const auto& [key, value] : origin.description.notes) notes["start." + key] = value;
    origin.description.notes = std::move(notes);
    return origin;
  }
};

/// A loss and the anomalies that it wants.
inline void check_anomalies(const TrainingRequest& r) {
  const bool any = r.confetti || !r.defects.empty();
  const std::string loss = name_of(r.options.loss);
  if (any && r.options.loss == Loss::norm)
    throw Error("training with anomalies: expected the loss pixel or image, found " + loss);
  if (!any && r.options.loss != Loss::norm)
    throw Error("training with the loss " + loss + ": expected confetti or defects, found neither");
  const double p = r.options.anomaly_probability;
  if (!(p >= 0.0 && p <= 1.0)) throw Error("anomaly probability: expected 0 to 1, found " + number_text(p));
  if (r.options.loss != Loss::pixel) return;
  for (const Sample& sample : r.defects)
    if (!sample.mask)
      throw file_error(sample.path.string(),
                       "has no mask; training with the loss pixel expects one for each defect "
                       "(the loss image does without)");
}

}  // namespace adtr::inline ADTR_ABI::detail

/// A training run on disk: enough to go on after a power failure with the same bits as without one.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "adtr/models/description.hpp"
#include "adtr/train/trainer.hpp"
#include "adtr/weights/safetensors_writer.hpp"

namespace adtr::inline ADTR_ABI {

/// What a run's bits depend on, by name. A checkpoint of a run that differs in one of them cannot be gone on with.
using RunIdentity = std::map<std::string, std::string>;

/// A number that changes with any bit of the features, and so with the images, their order and the backbone.
template <class T>
[[nodiscard]] std::uint64_t fingerprint(MatrixView<const T> rows) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (Index r = 0; r < rows.rows; ++r)
    for (Index c = 0; c < rows.cols; ++c) {
      std::uint64_t bits = 0;
      std::memcpy(&bits, rows.row(r) + c, sizeof(T));
      hash = (hash ^ bits) * 0x100000001B3;
      hash ^= hash >> 29;
    }
  return hash;
}

[[nodiscard]] inline RunIdentity identity_of(const TrainingOptions& o) {
  RunIdentity identity{{"recipe", o.recipe == Recipe::fast ? "fast" : "paper"},
                       {"epochs", std::to_string(o.epochs)},
                       {"batch", std::to_string(o.batch)},
                       {"learning-rate", detail::number_text(o.learning_rate)},
                       {"weight-decay", detail::number_text(o.weight_decay)},
                       {"dropout", detail::number_text(o.dropout)},
                       {"clip", detail::number_text(o.clip)},
                       {"jitter", detail::number_text(o.jitter)},
                       {"seed", std::to_string(o.seed)},
                       {"loss", name_of(o.loss)}};
  if (o.recipe == Recipe::paper) identity["full-rate-share"] = detail::number_text(o.full_rate_share);
  if (o.loss == Loss::norm) return identity;
  identity["alpha"] = detail::number_text(o.alpha);
  identity["anomaly-probability"] = detail::number_text(o.anomaly_probability);
  if (o.loss == Loss::image) identity["top-k"] = std::to_string(o.top_k);
  return identity;
}

/// Writes atomically: a kill at any moment leaves the last checkpoint or this one.
template <class T>
void save_checkpoint(const std::string& path, const TrainingState<T>& state, const RunIdentity& identity) {
  std::map<std::string, std::string> metadata{{"format", "adtr-checkpoint"}, {"epoch", std::to_string(state.epoch)}};
  for (const auto& [key, value] : identity) metadata["run." + key] = value;
  const std::vector<std::size_t> shape{static_cast<std::size_t>(state.parameters.size())};
  const std::vector<SafetensorsTensor> tensors{tensor_of<T>("parameters", shape, state.parameters.span()),
                                               tensor_of<T>("first_moment", shape, state.first_moment.span()),
                                               tensor_of<T>("second_moment", shape, state.second_moment.span())};
  write_safetensors(path, tensors, metadata);
}

/// Fills `state`; throws Error naming the file and the first thing in which that run differs from this one.
template <class T>
void load_checkpoint(const std::string& path, const RunIdentity& identity, TrainingState<T>& state) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  const auto& metadata = file.metadata();
  const auto format = metadata.find("format");
  if (format == metadata.end() || format->second != "adtr-checkpoint" || !metadata.contains("epoch"))
    throw file_error(path, "is not a checkpoint of a training run");
  for (const auto& [key, value] : identity) {
    const auto stored = metadata.find("run." + key);
    const std::string was = stored == metadata.end() ? "not recorded" : stored->second;
    if (was != value)
      throw file_error(path, "is of another training run: its " + key + " is " + was + ", this run's is " + value);
  }
  for (const auto& [key, was] : metadata)
    if (key.starts_with("run.") && !identity.contains(key.substr(4)))
      throw file_error(path, "is of another training run: its " + key.substr(4) + " is " + was + ", this run has none");
  file.copy_to("parameters", state.parameters.span());
  file.copy_to("first_moment", state.first_moment.span());
  file.copy_to("second_moment", state.second_moment.span());
  state.epoch = static_cast<Index>(parse_number(path, "epoch", metadata.at("epoch")));
}

}  // namespace adtr::inline ADTR_ABI

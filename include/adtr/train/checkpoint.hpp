/// Checkpoints: the state of a training run on disk. A run resumed after a power failure gives the same bits as one
/// that was never interrupted.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "adtr/train/run_identity.hpp"
#include "adtr/train/trainer.hpp"
#include "adtr/weights/safetensors_writer.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// Version 2 added losses, unfinished epochs and a RunIdentity that distinguishes images from weights.
inline constexpr const char* checkpoint_version = "2";

/// The identity of the run that wrote the checkpoint.
[[nodiscard]] inline RunIdentity stored_identity(const SafetensorsFile& file) {
  RunIdentity identity;
  for (const auto& [key, value] : file.metadata())
    if (key.starts_with("run.")) identity[key.substr(4)] = value;
  // What every run did before there was a choice.
  identity.try_emplace("pooling", name_of(Pooling::bilinear));
  identity.try_emplace("bank", "0");
  return identity;
}

inline void require_same_run(const SafetensorsFile& file, const RunIdentity& identity, bool all) {
  const std::string changed = difference(stored_identity(file), identity, all);
  if (!changed.empty()) throw file_error(file.path(), changed, ErrorCode::bad_weights);
}

/// Reads a tensor of finite values; returns an empty vector if the file has no such tensor.
[[nodiscard]] inline std::vector<double> stored_losses(const SafetensorsFile& file, const std::string& name) {
  if (!file.contains(name)) return {};
  std::vector<double> losses = file.read<double>(name);
  check_finite<double>(file.path(), name, losses);
  return losses;
}

}  // namespace detail

/// Whether an open file says that it is a checkpoint, of any version.
[[nodiscard]] inline bool is_checkpoint_file(const SafetensorsFile& file) {
  const auto format = file.metadata().find("format");
  return format != file.metadata().end() && format->second == "adtr-checkpoint" && file.metadata().contains("epoch");
}

/// Opens a checkpoint. Throws Error(bad_weights) naming the file if it is not a checkpoint or has another version.
[[nodiscard]] inline SafetensorsFile open_checkpoint(const std::string& path) {
  SafetensorsFile file = SafetensorsFile::open(path);
  if (!is_checkpoint_file(file))
    throw file_error(path, "is not a checkpoint of a training run", ErrorCode::bad_weights);
  const auto version = file.metadata().find("format_version");
  const std::string found = version == file.metadata().end() ? "1" : version->second;
  if (found != detail::checkpoint_version)
    throw file_error(path,
                     "is a checkpoint of format version " + found + ", which another version of adtr wrote; expected " +
                         detail::checkpoint_version + "; delete it to train from the first epoch",
                     ErrorCode::bad_weights);
  return file;
}

/// Writes atomically: if the process is killed at any moment, either the previous checkpoint or this one remains.
template <class T>
void save_checkpoint(const std::string& path, const TrainingState<T>& state, const RunIdentity& identity) {
  std::map<std::string, std::string> metadata{{"format", "adtr-checkpoint"},
                                              {"format_version", detail::checkpoint_version},
                                              {"epoch", std::to_string(state.epoch)}};
  for (const auto& [key, value] : identity) metadata["run." + key] = value;
  const std::vector<std::size_t> shape{static_cast<std::size_t>(state.parameters.size())};
  std::vector<SafetensorsTensor> tensors{tensor_of<T>("parameters", shape, state.parameters.span()),
                                         tensor_of<T>("first_moment", shape, state.first_moment.span()),
                                         tensor_of<T>("second_moment", shape, state.second_moment.span())};
  if (!state.losses.empty()) tensors.push_back(tensor_of<double>("losses", {state.losses.size()}, state.losses));
  if (!state.step_losses.empty())
    tensors.push_back(tensor_of<double>("step_losses", {state.step_losses.size()}, state.step_losses));
  write_safetensors(path, tensors, metadata);
}

/// Throws Error(bad_weights) naming the file if it is not a checkpoint, or if its run differs from this one in an entry
/// of `identity`. Used before the images' features are known.
inline void check_checkpoint(const std::string& path, const RunIdentity& identity) {
  detail::require_same_run(open_checkpoint(path), identity, false);
}

/// Fills `state`. Throws Error(bad_weights) naming the file and the first difference between that run and this one, or
/// the damage.
template <class T>
void load_checkpoint(const std::string& path, const RunIdentity& identity, TrainingState<T>& state) {
  const SafetensorsFile file = open_checkpoint(path);
  detail::require_same_run(file, identity, true);
  const auto epoch = static_cast<Index>(parse_number(path, "epoch", file.metadata().at("epoch")));
  std::vector<double> losses = detail::stored_losses(file, "losses");
  if (epoch != static_cast<Index>(losses.size()))
    throw file_error(path,
                     "is damaged: expected the losses of its " + std::to_string(epoch) + " epochs, found " +
                         std::to_string(losses.size()),
                     ErrorCode::bad_weights);
  const auto copy = [&](const char* name, std::span<T> to) {
    file.copy_to(name, to);
    check_finite<T>(path, name, to);
  };
  copy("parameters", state.parameters.span());
  copy("first_moment", state.first_moment.span());
  copy("second_moment", state.second_moment.span());
  state.epoch = epoch;
  state.losses = std::move(losses);
  state.step_losses = detail::stored_losses(file, "step_losses");
}

}  // namespace ADTR_ABI
}  // namespace adtr

/// The tensors of a model file that only scoring methods need: statistics of image scores, and the memory bank.
#pragma once

#include <string>
#include <vector>

#include "adtr/models/memory_bank.hpp"
#include "adtr/weights/loader.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Mean and standard deviation of each position's image score over the training images, by one scoring method. Both are
/// (H·W), or empty.
template <class T>
struct ScoreStatistics {
  std::vector<T> mean, std;
  [[nodiscard]] bool empty() const { return mean.empty(); }
};

/// What a file of format version 3 has in addition to TrainedTensors. A file of version 2 has none of it.
template <class T>
struct ScoringTensors {
  ScoreStatistics<T> residual;  ///< of ResidualScoring: "residual_mean", "residual_std"
  BankTensors<T> bank;          ///< "bank.axes" (D, C) and "bank.tokens" (N, D), or no bank
};

namespace detail {

inline constexpr const char *bank_axes_name = "bank.axes", *bank_tokens_name = "bank.tokens";

/// The sizes of a matrix of a file. Throws Error (bad_weights) if the tensor is no matrix of at least one row and one
/// column.
[[nodiscard]] inline std::pair<Index, Index> matrix_sizes(const SafetensorsFile& file, const char* name) {
  const SafetensorsTensor* const tensor = file.find(name);
  if (tensor == nullptr)
    throw weights_error(file.path(), "has a part of a memory bank, but no tensor '" + std::string(name) + "'");
  if (tensor->shape.size() != 2 || tensor->shape[0] == 0 || tensor->shape[1] == 0)
    throw weights_error(file.path(), "tensor '" + std::string(name) + "' is " + shape_text(tensor->shape) +
                                         ", expected a matrix of at least one row and one column");
  return {static_cast<Index>(tensor->shape[0]), static_cast<Index>(tensor->shape[1])};
}

}  // namespace detail

/// Copies what the file has of these tensors, through the loader of its other tensors, which reports wrong shapes and
/// values. `channels` and `positions` are those of the network. Throws Error (bad_weights) if there is half a bank.
template <class T>
[[nodiscard]] ScoringTensors<T> load_scoring_tensors(const SafetensorsFile& file, Index channels, Index positions,
                                                     ParameterLoader<T>& loader) {
  ScoringTensors<T> tensors;
  const auto load = [&](const char* name, std::vector<T>& values, const Shape& shape) {
    values.resize(static_cast<std::size_t>(shape.size()));
    T* data = values.data();
    loader.tensor(name, data, shape);
  };
  if (file.contains("residual_mean") || file.contains("residual_std")) {
    load("residual_mean", tensors.residual.mean, Shape{positions});
    load("residual_std", tensors.residual.std, Shape{positions});
  }
  if (file.contains(detail::bank_axes_name) || file.contains(detail::bank_tokens_name)) {
    BankTensors<T>& bank = tensors.bank;
    bank.channels = channels;
    bank.axes_count = detail::matrix_sizes(file, detail::bank_axes_name).first;
    bank.tokens_count = detail::matrix_sizes(file, detail::bank_tokens_name).first;
    load(detail::bank_axes_name, bank.axes, Shape{bank.axes_count, channels});
    load(detail::bank_tokens_name, bank.tokens, Shape{bank.tokens_count, bank.axes_count});
  }
  return tensors;
}

/// Adds the tensors to those that `writer` writes; `tensors` must outlive it.
template <class T>
void add_scoring_tensors(const ScoringTensors<T>& tensors, ParameterWriter<T>& writer) {
  if (!tensors.residual.empty()) {
    const Shape positions{static_cast<Index>(tensors.residual.mean.size())};
    writer.tensor("residual_mean", tensors.residual.mean.data(), positions);
    writer.tensor("residual_std", tensors.residual.std.data(), positions);
  }
  const BankTensors<T>& bank = tensors.bank;
  if (bank.empty()) return;
  writer.tensor(detail::bank_axes_name, bank.axes.data(), Shape{bank.axes_count, bank.channels});
  writer.tensor(detail::bank_tokens_name, bank.tokens.data(), Shape{bank.tokens_count, bank.axes_count});
}

}  // namespace ADTR_ABI
}  // namespace adtr

/// Builds a model's memory bank from the features of good images.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "adtr/core/buffer.hpp"
#include "adtr/core/random.hpp"
#include "adtr/models/memory_bank.hpp"
#include "adtr/models/tap_scores.hpp"
#include "adtr/train/initialise.hpp"
#include "adtr/train/k_center.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// How a bank is built.
struct BankOptions {
  Index tokens = 4000;  ///< N, at most; fewer if the images have fewer
  Index axes = 128;     ///< D
  /// Number of leading axes that choose the tokens: the others are mostly noise, and cost time.
  Index search_axes = 64;
  /// The bank is chosen among at most this number of tokens, drawn at random. It bounds memory (128 MiB with 128 axes)
  /// and time.
  Index max_candidates = Index{1} << 18;
  std::uint64_t seed = 0;  ///< of the first token, and of the draw
};

/// A bank, and the image from which each of its tokens comes: its number, or −1 for tokens of an earlier bank.
template <class T>
struct BuiltBank {
  BankTensors<T> tensors;
  std::vector<Index> images;
};

namespace detail {

/// Number of the random stream that draws the first token; the next one draws the candidates.
inline constexpr std::uint64_t bank_stream = std::uint64_t{1} << 57;

/// The weight of each channel: width^(−¼) of its tap. Standardised channels all have variance 1, so without it the
/// widest tap would decide alone; with width^(−½) each tap would count the same.
template <class Backbone>
[[nodiscard]] Eigen::VectorXd bank_weights() {
  std::vector<double> weights;
  for (const Index width : adtr::tap_widths<Backbone>)
    weights.insert(weights.end(), static_cast<std::size_t>(width), std::pow(static_cast<double>(width), -0.25));
  return Eigen::Map<Eigen::VectorXd>(weights.data(), static_cast<Index>(weights.size()));
}

/// The axes of a bank: the principal axes of the weighted features, with the weights multiplied in.
template <class Backbone, class T>
void set_axes(MatrixView<const T> rows, Index count, BankTensors<T>& bank) {
  const Eigen::VectorXd weights = bank_weights<Backbone>();
  const PrincipalAxes principal = PrincipalAxes::of<T>(rows, count, weights);
  bank.channels = rows.cols;
  bank.axes_count = principal.axes.cols();
  bank.axes.resize(static_cast<std::size_t>(bank.axes_count * bank.channels));
  Eigen::Map<RowMajor<T>>(bank.axes.data(), bank.axes_count, bank.channels) =
      (principal.axes.transpose() * weights.asDiagonal()).template cast<T>();
}

/// Projects the chosen rows onto the bank's axes, in the order of `numbers`, into `projections`.
template <Backend B>
void project_rows(const typename B::Context& context, MatrixView<const typename B::Scalar> rows,
                  const std::vector<Index>& numbers, const BankTensors<typename B::Scalar>& axes,
                  MatrixView<typename B::Scalar> projections) {
  using T = typename B::Scalar;
  constexpr Index block = 1024;
  const MemoryBank<B> projector(context, axes);
  Buffer<T> gathered(block * rows.cols), projected(block * axes.axes_count);
  typename B::Memory device_rows(B::on_host ? 0 : gathered.size()), device_result(B::on_host ? 0 : projected.size());
  const auto all = static_cast<Index>(numbers.size());
  for (Index first = 0; first < all; first += block) {
    const Index n = (std::min)(block, all - first);
    for (Index i = 0; i < n; ++i)
      std::copy_n(rows.row(numbers[static_cast<std::size_t>(first + i)]), rows.cols, gathered.data() + i * rows.cols);
    if constexpr (B::on_host) {
      projector.project(context, {gathered.data(), n, rows.cols}, {projected.data(), n, axes.axes_count});
    } else {
      B::upload(context, gathered.data(), n * rows.cols, device_rows.data());
      projector.project(context, {device_rows.data(), n, rows.cols}, {device_result.data(), n, axes.axes_count});
      B::download(context, device_result.data(), n * axes.axes_count, projected.data());
      B::wait(context);
    }
    std::copy_n(projected.data(), n * axes.axes_count, projections.row(first));
  }
}

}  // namespace detail

/// Builds a bank from standardised features, `rows` (images·H·W, C) in the host's memory: projects them onto the
/// principal axes of the weighted features and chooses tokens by greedy k-center (k_centers()). If `earlier` is not
/// empty, its axes are kept, and its tokens are candidates like those of the images. The result depends on the seed,
/// and not on the number of threads. `run_each` runs the search.
template <class Net, Backend B>
[[nodiscard]] BuiltBank<typename B::Scalar> build_bank(const typename B::Context& context,
                                                       MatrixView<const typename B::Scalar> rows,
                                                       const BankOptions& options, const RunEach& run_each,
                                                       const BankTensors<typename B::Scalar>& earlier = {}) {
  using T = typename B::Scalar;
  BuiltBank<T> built;
  BankTensors<T>& bank = built.tensors;
  if (earlier.empty()) {
    detail::set_axes<typename Net::Backbone, T>(rows, options.axes, bank);
  } else {
    bank.channels = earlier.channels;
    bank.axes_count = earlier.axes_count;
    bank.axes = earlier.axes;
  }
  std::vector<Index> numbers(static_cast<std::size_t>(rows.rows));
  std::iota(numbers.begin(), numbers.end(), Index{0});
  if (rows.rows > options.max_candidates) {
    const auto order = permutation(numbers.size(), RandomStream(options.seed, detail::bank_stream + 1));
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<Index>(order[i]);
    numbers.resize(static_cast<std::size_t>(options.max_candidates));
    std::sort(numbers.begin(), numbers.end());
  }
  const Index old_tokens = earlier.tokens_count, D = bank.axes_count;
  const auto new_tokens = static_cast<Index>(numbers.size());
  Buffer<T> candidates((old_tokens + new_tokens) * D);
  std::copy(earlier.tokens.begin(), earlier.tokens.end(), candidates.data());
  const MatrixView<T> all(candidates.data(), old_tokens + new_tokens, D);
  bank.tokens_count = 1;  // a bank on a backend has at least one token
  bank.tokens.assign(static_cast<std::size_t>(D), T{0});
  detail::project_rows<B>(context, rows, numbers, bank, all.row_range(old_tokens, new_tokens));

  const auto first = static_cast<Index>(
      RandomStream(options.seed, detail::bank_stream).below(static_cast<std::size_t>(old_tokens + new_tokens)));
  std::vector<Index> chosen(static_cast<std::size_t>(all.rows));
  std::iota(chosen.begin(), chosen.end(), Index{0});
  const MatrixView<const T> search = all.columns(0, (std::min)(options.search_axes, D));
  if (options.tokens < all.rows) chosen = k_centers<T>(search, {first}, options.tokens, run_each);
  bank.tokens_count = static_cast<Index>(chosen.size());
  bank.tokens.resize(chosen.size() * static_cast<std::size_t>(D));
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    std::copy_n(all.row(chosen[i]), D, bank.tokens.data() + static_cast<Index>(i) * D);
    const Index number = chosen[i] - old_tokens;
    built.images.push_back(number < 0 ? Index{-1}
                                      : numbers[static_cast<std::size_t>(number)] / Net::Features::positions);
  }
  return built;
}

/// The bank without the tokens of the images for which `leave_out(image)` holds, for scoring these as if they were new.
template <class T, class F>
[[nodiscard]] BankTensors<T> without_images(const BuiltBank<T>& built, F&& leave_out) {
  const BankTensors<T>& from = built.tensors;
  BankTensors<T> bank = from;
  bank.tokens.clear();
  for (std::size_t i = 0; i < built.images.size(); ++i) {
    if (built.images[i] >= 0 && leave_out(built.images[i])) continue;
    const T* const token = from.tokens.data() + static_cast<Index>(i) * from.axes_count;
    bank.tokens.insert(bank.tokens.end(), token, token + from.axes_count);
  }
  bank.tokens_count = static_cast<Index>(bank.tokens.size()) / from.axes_count;
  return bank;
}

}  // namespace ADTR_ABI
}  // namespace adtr

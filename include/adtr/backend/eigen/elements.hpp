/// Eigen backend: sigmoid, sums and dropout masks, which the operations use.
#pragma once

#include "adtr/backend/eigen/activation.hpp"
#include "adtr/backend/eigen/context.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace eigen {

/// x = 1 / (1 + e⁻ˣ) for n elements of scratch memory.
inline void sigmoid(float* x, Index n) {
  AlignedArray v(x, aligned_size<float>(n));
  v = (1.0F + (-v).exp()).inverse();
}

/// sum += x·w, element by element.
inline void multiply_add(Index n, const float* __restrict x, const float* __restrict w, float* __restrict sum) {
  for (Index i = 0; i < n; ++i) sum[i] += x[i] * w[i];
}

/// Returns f(0) + … + f(n − 1) as T. There are sixteen partial sums, so that compilers vectorise the loop and the order
/// of additions does not depend on an address.
template <class T, class F>
[[nodiscard]] T sum(Index n, F&& f) {
  constexpr Index lanes = 16;
  T part[lanes]{};
  Index i = 0;
  for (; i + lanes <= n; i += lanes)
    for (Index l = 0; l < lanes; ++l) part[l] += f(i + l);
  for (Index l = 0; i + l < n; ++l) part[l] += f(i + l);
  for (Index half = lanes / 2; half > 0; half /= 2)
    for (Index l = 0; l < half; ++l) part[l] += part[l + half];
  return part[0];
}

/// totals[c] = f(0, c) + … + f(rows − 1, c) for the columns [first, first + count), count ≤ column_piece. The sums of
/// a block of rows are floats and the sums of blocks are doubles, which is accurate for any number of rows.
inline constexpr Index column_piece = 64;
template <class F>
void sum_columns(Index rows, Index first, Index count, double* totals, F&& f) {
  constexpr Index block = 64;
  std::fill_n(totals, count, 0.0);
  for (Index begin = 0; begin < rows; begin += block) {
    float part[column_piece]{};
    for (Index r = begin; r < (std::min)(begin + block, rows); ++r)
      for (Index c = 0; c < count; ++c) part[c] += f(r, first + c);
    for (Index c = 0; c < count; ++c) totals[c] += static_cast<double>(part[c]);
  }
}

/// sums[c] += f(0, c) + … + f(rows − 1, c)
template <class F>
void accumulate_columns(const Context& context, Index rows, Index columns, float* sums, F&& f) {
  for_each_piece(context, columns, column_piece, [&](Index first, Index count) {
    double totals[column_piece];
    sum_columns(rows, first, count, totals, f);
    for (Index c = 0; c < count; ++c) sums[first + c] += static_cast<float>(totals[c]);
  });
}

/// mask[i] = 1/(1 − rate) if dropout keeps element first + i, otherwise 0.
inline void dropout_mask(const Dropout& dropout, std::uint64_t first, Index n, float* mask) {
  constexpr std::uint64_t block = 64;  // eight counters have four words of two halves each, see Dropout::bits
  const auto scale = static_cast<float>(1.0 / (1.0 - static_cast<double>(dropout.rate)));
  for (Index i = 0; i < n;) {
    const std::uint64_t element = first + static_cast<std::uint64_t>(i);
    std::uint32_t bits[block];
    for (std::uint64_t lane = 0; lane < 8; ++lane) {
      const auto words = dropout.words(element / block * 8 + lane);
      for (std::uint64_t w = 0; w < 4; ++w) {
        bits[16 * w + 2 * lane] = words[w] & 0xFFFF;
        bits[16 * w + 2 * lane + 1] = words[w] >> 16;
      }
    }
    for (std::uint64_t b = element % block; b < block && i < n; ++b, ++i)
      mask[i] = bits[b] >= dropout.threshold() ? scale : 0.0F;
  }
}

}  // namespace eigen
}  // namespace ADTR_ABI
}  // namespace adtr

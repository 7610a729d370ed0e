/// Eigen backend: the distance to the nearest token of a bank; see nearest_margin.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "adtr/backend/eigen/gemm.hpp"
#include "adtr/backend/nearest_margin.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace eigen {

struct Nearest {
  struct TokenBank {
    Gemm::Packed packed;      ///< (inputs, tokens)
    Buffer<float> half_norm;  ///< ‖b‖²/2 of each token
    float max_norm = 0.0F;
  };

  static void pack_tokens(const Context& context, MatrixView<const float> tokens, TokenBank& bank) {
    Gemm::pack(context, tokens, bank.packed);
    if (bank.half_norm.size() != tokens.rows) bank.half_norm = Buffer<float>(tokens.rows);
    each_row(context, tokens.rows,
             [&](Index n) { bank.half_norm.data()[n] = static_cast<float>(0.5 * sum_of_squares(tokens, n)); });
    const auto norms = bank.half_norm.span();
    bank.max_norm = std::sqrt(2.0F * *std::max_element(norms.begin(), norms.end()));
  }

  static void nearest(const Context& context, MatrixView<const float> x, const TokenBank& bank, float* distances) {
    const MatrixView<const float> b = bank.packed.matrix();
    for_each_piece(context, x.rows, row_block, [&](Index first, Index count) {
      Arena<float> arena = scratch(row_block * column_block, row_block, row_block);
      float* const memory = arena.take(row_block * column_block);
      float* const top = arena.take(row_block);
      float* const nearest = arena.take(row_block);
      std::fill_n(top, count, -std::numeric_limits<float>::infinity());
      std::fill_n(nearest, count, std::numeric_limits<float>::infinity());
      for (Index column = 0; column < b.cols; column += column_block) {
        const Index columns = (std::min)(column_block, b.cols - column);
        const MatrixView<float> score(memory, count, columns);
        as_eigen(score).noalias() = as_eigen(x.row_range(first, count)) * as_eigen(b.columns(column, columns));
        for (Index r = 0; r < count; ++r)
          scan(x, first + r, bank, column, {score.row(r), 1, columns}, top[r], nearest[r]);
      }
      for (Index r = 0; r < count; ++r) distances[first + r] = std::sqrt(nearest[r]);
    });
  }

 private:
  static constexpr Index row_block = 64;
  static constexpr Index column_block = 192;

  [[nodiscard]] static double sum_of_squares(MatrixView<const float> x, Index r) {
    return sum<double>(x.cols,
                       [row = x.row(r)](Index c) { return static_cast<double>(row[c]) * static_cast<double>(row[c]); });
  }

  /// Updates the largest score and the smallest squared distance of row r by a block of tokens from `column` on.
  static void scan(MatrixView<const float> x, Index r, const TokenBank& bank, Index column, MatrixView<float> score,
                   float& top, float& nearest) {
    float largest = -std::numeric_limits<float>::infinity();
    for (Index c = 0; c < score.cols; ++c) {
      score.data[c] -= bank.half_norm.data()[column + c];
      largest = score.data[c] > largest ? score.data[c] : largest;
    }
    top = (std::max)(top, largest);
    const float norm = std::sqrt(static_cast<float>(sum_of_squares(x, r)));
    const float least = top - nearest_margin(x.cols, norm, bank.max_norm);
    if (largest < least) return;
    for (Index c = 0; c < score.cols; ++c) {
      if (score.data[c] < least) continue;  // not so for NaN
      const float* const token = bank.packed.values.data() + column + c;
      const float squared = sum<float>(x.cols, [&](Index k) {
        const float d = x.row(r)[k] - token[k * bank.packed.outputs];
        return d * d;
      });
      if (!(squared >= nearest)) nearest = squared;
    }
  }
};

}  // namespace eigen
}  // namespace ADTR_ABI
}  // namespace adtr

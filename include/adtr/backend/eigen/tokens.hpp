/// Eigen backend: row-wise and element-wise operations of a transformer.
#pragma once

#include <cmath>

#include "adtr/backend/eigen/elements.hpp"
#include "adtr/core/ceil_div.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace eigen {

struct Tokens {
  static void add_positions(const Context& context, MatrixView<const float> x, MatrixView<const float> p,
                            MatrixView<float> y) {
    each_row(context, x.rows, [&](Index r) {
      const float* const position = p.row(r % p.rows);
      for (Index c = 0; c < x.cols; ++c) y.row(r)[c] = x.row(r)[c] + position[c];
    });
  }

  static void accumulate_positions(const Context& context, MatrixView<const float> dy, MatrixView<float> dp) {
    each_row(context, dp.rows, [&](Index t) {
      float* const total = scratch(dp.cols).take(dp.cols);
      std::fill_n(total, dp.cols, 0.0F);
      for (Index r = t; r < dy.rows; r += dp.rows)
        for (Index c = 0; c < dp.cols; ++c) total[c] += dy.row(r)[c];
      for (Index c = 0; c < dp.cols; ++c) dp.row(t)[c] += total[c];
    });
  }

  static void layer_norm(const Context& context, MatrixView<const float> x, const float* gamma, const float* beta,
                         float eps, MatrixView<float> y, float* statistics) {
    const auto width = static_cast<float>(x.cols);
    each_row(context, x.rows, [&](Index r) {
      const float* const in = x.row(r);
      const float mean = sum<float>(x.cols, [&](Index c) { return in[c]; }) / width;
      const float variance = sum<float>(x.cols, [&](Index c) { return (in[c] - mean) * (in[c] - mean); }) / width;
      const float inverse = 1.0F / std::sqrt(variance + eps);
      for (Index c = 0; c < x.cols; ++c) y.row(r)[c] = (in[c] - mean) * inverse * gamma[c] + beta[c];
      if (statistics != nullptr) {
        statistics[2 * r] = mean;
        statistics[2 * r + 1] = inverse;
      }
    });
  }

  /// The equation is at Reference.
  static void layer_norm_backward(const Context& context, MatrixView<const float> x, const float* gamma,
                                  const float* statistics, MatrixView<const float> dy, MatrixView<float> dx,
                                  float* dgamma, float* dbeta) {
    const auto normal = [x, statistics](Index r, Index c) {
      return (x.row(r)[c] - statistics[2 * r]) * statistics[2 * r + 1];
    };
    accumulate_columns(context, x.rows, x.cols, dgamma, [&](Index r, Index c) { return dy.row(r)[c] * normal(r, c); });
    accumulate_columns(context, x.rows, x.cols, dbeta, [&](Index r, Index c) { return dy.row(r)[c]; });
    const auto width = static_cast<float>(x.cols);
    each_row(context, x.rows, [&](Index r) {
      const auto e = [&](Index c) { return dy.row(r)[c] * gamma[c]; };
      const float mean_e = sum<float>(x.cols, e) / width;
      const float mean_ex = sum<float>(x.cols, [&](Index c) { return e(c) * normal(r, c); }) / width;
      for (Index c = 0; c < x.cols; ++c)
        dx.row(r)[c] = (e(c) - mean_e - normal(r, c) * mean_ex) * statistics[2 * r + 1];
    });
  }

  static void dropout(const Context& context, MatrixView<const float> x, const Dropout& dropout,
                      MatrixView<const float> residual, MatrixView<float> y) {
    each_row(context, x.rows, [&](Index r) {
      float* const mask = scratch(x.cols).take(x.cols);
      if (dropout.active())
        dropout_mask(dropout, static_cast<std::uint64_t>(r * x.cols), x.cols, mask);
      else
        std::fill_n(mask, x.cols, 1.0F);
      const float* const base = residual.data == nullptr ? nullptr : residual.row(r);
      for (Index c = 0; c < x.cols; ++c) {
        const float kept = mask[c] > 0.0F ? x.row(r)[c] * mask[c] : 0.0F;
        y.row(r)[c] = base == nullptr ? kept : base[c] + kept;
      }
    });
  }

  static void relu_backward(const Context& context, MatrixView<const float> h, float scale, MatrixView<float> dh) {
    each_row(context, h.rows, [&](Index r) {
      for (Index c = 0; c < h.cols; ++c) dh.row(r)[c] = h.row(r)[c] > 0.0F ? dh.row(r)[c] * scale : 0.0F;
    });
  }

  static void accumulate(const Context& context, MatrixView<const float> x, MatrixView<float> y) {
    each_row(context, x.rows, [&](Index r) {
      for (Index c = 0; c < x.cols; ++c) y.row(r)[c] += x.row(r)[c];
    });
  }
};

}  // namespace eigen
}  // namespace ADTR_ABI
}  // namespace adtr

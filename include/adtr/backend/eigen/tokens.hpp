/// Eigen backend: row-wise and element-wise operations of a transformer, losses and the optimiser.
#pragma once

#include <cmath>
#include <vector>

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

  static void difference_norm(const Context& context, MatrixView<const float> f, MatrixView<const float> g, float* s) {
    each_row(context, f.rows, [&](Index r) {
      s[r] = std::sqrt(sum<float>(f.cols, [&](Index c) {
        const float d = f.row(r)[c] - g.row(r)[c];
        return d * d;
      }));
    });
  }

  static void norm_gradient(const Context& context, MatrixView<const float> f, MatrixView<const float> g, float scale,
                            MatrixView<float> dg, double* total) {
    std::vector<double> rows(static_cast<std::size_t>(f.rows));
    each_row(context, f.rows, [&](Index r) {
      for (Index c = 0; c < f.cols; ++c) dg.row(r)[c] = (g.row(r)[c] - f.row(r)[c]) * scale;
      rows[static_cast<std::size_t>(r)] = sum<double>(f.cols, [&](Index c) {
        const double d = static_cast<double>(g.row(r)[c]) - static_cast<double>(f.row(r)[c]);
        return d * d;
      });
    });
    *total += sum<double>(f.rows, [&](Index r) { return rows[static_cast<std::size_t>(r)]; });
  }

  static void mean_difference(const Context& context, MatrixView<const float> f, MatrixView<const float> g, float* m) {
    each_row(context, f.rows, [&](Index r) {
      m[r] =
          sum<float>(f.cols, [&](Index c) { return std::abs(f.row(r)[c] - g.row(r)[c]); }) / static_cast<float>(f.cols);
    });
  }

  static void sign_gradient(const Context& context, MatrixView<const float> f, MatrixView<const float> g,
                            const float* w, MatrixView<float> dg) {
    each_row(context, f.rows, [&](Index r) {
      for (Index c = 0; c < f.cols; ++c) {
        const float d = g.row(r)[c] - f.row(r)[c];
        dg.row(r)[c] = d > 0.0F ? w[r] : d < 0.0F ? -w[r] : 0.0F;
      }
    });
  }

  static void squared_norm(const Context& context, const float* x, Index n, double* total) {
    std::vector<double> pieces(static_cast<std::size_t>(ceil_div(n, piece)));
    for_each_piece(context, n, piece, [&](Index first, Index count) {
      pieces[static_cast<std::size_t>(first / piece)] = sum<double>(count, [&](Index i) {
        const auto value = static_cast<double>(x[first + i]);
        return value * value;
      });
    });
    for (const double s : pieces) *total += s;
  }

  static void adamw(const Context& context, const AdamW& a, Index n, float* p, const float* g, float* m, float* v) {
    const AdamWFactors k(a);
    const auto scale = static_cast<float>(a.gradient_scale());
    for_each_piece(context, n, piece, [&](Index first, Index count) {
      for (Index i = first; i < first + count; ++i) {
        const float gradient = g[i] * scale;
        m[i] = k.beta1 * m[i] + k.rest1 * gradient;
        v[i] = k.beta2 * v[i] + k.rest2 * gradient * gradient;
        p[i] = p[i] * k.decay - k.rate * m[i] / (std::sqrt(v[i]) * k.inverse_correction + k.epsilon);
      }
    });
  }

 private:
  static constexpr Index piece = 16384;

  /// Calls fn(r) for all rows.
  template <class F>
  static void each_row(const Context& context, Index rows, F&& fn) {
    for_each_piece(context, rows, 32, [&](Index first, Index count) {
      for (Index r = first; r < first + count; ++r) fn(r);
    });
  }
};

}  // namespace eigen
}  // namespace ADTR_ABI
}  // namespace adtr

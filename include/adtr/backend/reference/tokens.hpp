/// Reference: row-wise and element-wise operations of a transformer.
#pragma once

#include <cmath>
#include <vector>

#include "adtr/backend/arguments.hpp"
#include "adtr/backend/reference/context.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace reference {

template <class T>
struct Tokens {
  static void add_positions(const Context&, MatrixView<const T> x, MatrixView<const T> p, MatrixView<T> y) {
    for (Index r = 0; r < x.rows; ++r)
      for (Index c = 0; c < x.cols; ++c) y.row(r)[c] = x.row(r)[c] + p.row(r % p.rows)[c];
  }

  static void accumulate_positions(const Context&, MatrixView<const T> dy, MatrixView<T> dp) {
    for (Index t = 0; t < dp.rows; ++t)
      for (Index c = 0; c < dp.cols; ++c) {
        double sum = 0.0;
        for (Index r = t; r < dy.rows; r += dp.rows) sum += static_cast<double>(dy.row(r)[c]);
        dp.row(t)[c] += static_cast<T>(sum);
      }
  }

  /// y = (x − mean)/√(variance + eps)·γ + β, the variance biased (Ba et al., 2016).
  static void layer_norm(const Context&, MatrixView<const T> x, const T* gamma, const T* beta, T eps, MatrixView<T> y,
                         T* statistics) {
    for (Index r = 0; r < x.rows; ++r) {
      double mean = 0.0, variance = 0.0;
      for (Index c = 0; c < x.cols; ++c) mean += static_cast<double>(x.row(r)[c]);
      mean /= static_cast<double>(x.cols);
      for (Index c = 0; c < x.cols; ++c) {
        const double d = static_cast<double>(x.row(r)[c]) - mean;
        variance += d * d;
      }
      const double inverse = 1.0 / std::sqrt(variance / static_cast<double>(x.cols) + static_cast<double>(eps));
      for (Index c = 0; c < x.cols; ++c) {
        const double normal = (static_cast<double>(x.row(r)[c]) - mean) * inverse;
        y.row(r)[c] = static_cast<T>(normal * static_cast<double>(gamma[c]) + static_cast<double>(beta[c]));
      }
      if (statistics != nullptr) {
        statistics[2 * r] = static_cast<T>(mean);
        statistics[2 * r + 1] = static_cast<T>(inverse);
      }
    }
  }

  /// With x̂ the normalised row and e = dy·γ: dx = (e − mean(e) − x̂·mean(e·x̂))/σ; dγ += Σ dy·x̂; dβ += Σ dy.
  static void layer_norm_backward(const Context&, MatrixView<const T> x, const T* gamma, const T* statistics,
                                  MatrixView<const T> dy, MatrixView<T> dx, T* dgamma, T* dbeta) {
    const auto size = static_cast<std::size_t>(x.cols);
    std::vector<double> sum_gamma(size), sum_beta(size);
    for (Index r = 0; r < x.rows; ++r) {
      const auto mean = static_cast<double>(statistics[2 * r]);
      const auto inverse = static_cast<double>(statistics[2 * r + 1]);
      const auto normal = [&](Index c) { return (static_cast<double>(x.row(r)[c]) - mean) * inverse; };
      double mean_e = 0.0, mean_ex = 0.0;
      for (Index c = 0; c < x.cols; ++c) {
        const auto g = static_cast<double>(dy.row(r)[c]);
        const double e = g * static_cast<double>(gamma[c]);
        mean_e += e;
        mean_ex += e * normal(c);
        sum_gamma[static_cast<std::size_t>(c)] += g * normal(c);
        sum_beta[static_cast<std::size_t>(c)] += g;
      }
      mean_e /= static_cast<double>(x.cols);
      mean_ex /= static_cast<double>(x.cols);
      for (Index c = 0; c < x.cols; ++c) {
        const double e = static_cast<double>(dy.row(r)[c]) * static_cast<double>(gamma[c]);
        dx.row(r)[c] = static_cast<T>((e - mean_e - normal(c) * mean_ex) * inverse);
      }
    }
    for (std::size_t c = 0; c < size; ++c) {
      dgamma[c] += static_cast<T>(sum_gamma[c]);
      dbeta[c] += static_cast<T>(sum_beta[c]);
    }
  }

  /// Element (r, c) of a matrix of C columns is element r·C + c of the dropout layer.
  static void dropout(const Context&, MatrixView<const T> x, const Dropout& dropout, MatrixView<const T> residual,
                      MatrixView<T> y) {
    const T scale = dropout.active() ? static_cast<T>(1.0 / (1.0 - static_cast<double>(dropout.rate))) : T{1};
    for (Index r = 0; r < x.rows; ++r)
      for (Index c = 0; c < x.cols; ++c) {
        const bool keep = !dropout.active() || dropout.keep(static_cast<std::uint64_t>(r * x.cols + c));
        const T base = residual.data == nullptr ? T{0} : residual.row(r)[c];
        y.row(r)[c] = base + (keep ? x.row(r)[c] * scale : T{0});
      }
  }

  static void relu_backward(const Context&, MatrixView<const T> h, T scale, MatrixView<T> dh) {
    for (Index r = 0; r < h.rows; ++r)
      for (Index c = 0; c < h.cols; ++c) dh.row(r)[c] = h.row(r)[c] > T{0} ? dh.row(r)[c] * scale : T{0};
  }

  static void accumulate(const Context&, MatrixView<const T> x, MatrixView<T> y) {
    for (Index r = 0; r < x.rows; ++r)
      for (Index c = 0; c < x.cols; ++c) y.row(r)[c] += x.row(r)[c];
  }
};

}  // namespace reference
}  // namespace ADTR_ABI
}  // namespace adtr

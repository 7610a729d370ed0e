/// CUDA: row-wise operations, one warp per row. Sums over a row are computed in doubles.
#pragma once

#include <cmath>

#include "adtr/backend/cuda/kernels/elements.cuh"
#include "adtr/backend/cuda/kernels/sums.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::kernels {

struct Rows {
  static constexpr int threads = 256;
  static constexpr int per_block = threads / warp;

  template <class Context>
  [[nodiscard]] ADTR_DEVICE static Index row(Context& cx) {
    return cx.block_x() * per_block + cx.warp_index();
  }
};

struct DifferenceNorm : Rows {
  static constexpr const char* name = "difference_norm";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> f, MatrixView<const float> g, VectorView<float> s) {
    const Index r = row(cx);
    if (r >= f.rows) return;
    const double sum = sum_row(cx, f.cols, [&](Index c) {
      const float d = cx.load(f, r, c) - cx.load(g, r, c);
      return d * d;
    });
    if (cx.lane() == 0) cx.store(s, r, static_cast<float>(sqrt(sum)));
  }
};

/// ‖f − ρ·g‖² / (2·‖f‖²) with ρ = ‖f‖/‖g‖; see Reference.
struct CosineDistance : Rows {
  static constexpr const char* name = "cosine_distance";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> f, MatrixView<const float> g, VectorView<float> s) {
    const Index r = row(cx);
    if (r >= f.rows) return;
    const double ff = sum_row(cx, f.cols, [&](Index c) { return cx.load(f, r, c) * cx.load(f, r, c); });
    const double gg = sum_row(cx, f.cols, [&](Index c) { return cx.load(g, r, c) * cx.load(g, r, c); });
    const auto ratio = static_cast<float>(sqrt(ff / gg));
    const double sum = sum_row(cx, f.cols, [&](Index c) {
      const float d = cx.load(f, r, c) - ratio * cx.load(g, r, c);
      return d * d;
    });
    const bool zero = ff == 0.0 || gg == 0.0;
    if (cx.lane() == 0) cx.store(s, r, zero ? (ff == gg ? 0.0F : 1.0F) : static_cast<float>(0.5 * sum / ff));
  }
};

struct MeanDifference : Rows {
  static constexpr const char* name = "mean_difference";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> f, MatrixView<const float> g, VectorView<float> m) {
    const Index r = row(cx);
    if (r >= f.rows) return;
    const double sum = sum_row(cx, f.cols, [&](Index c) { return fabsf(cx.load(f, r, c) - cx.load(g, r, c)); });
    if (cx.lane() == 0) cx.store(m, r, static_cast<float>(sum / static_cast<double>(f.cols)));
  }
};

struct LayerNorm : Rows {
  static constexpr const char* name = "layer_norm";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> x, VectorView<const float> gamma,
                              VectorView<const float> beta, float eps, MatrixView<float> y,
                              VectorView<float> statistics) {
    const Index r = row(cx);
    if (r >= x.rows) return;
    const auto n = static_cast<double>(x.cols);
    const double mean = sum_row(cx, x.cols, [&](Index c) { return cx.load(x, r, c); }) / n;
    const double variance = sum_row(cx, x.cols,
                                    [&](Index c) {
                                      const double d = static_cast<double>(cx.load(x, r, c)) - mean;
                                      return d * d;
                                    }) /
                            n;
    const double inverse = 1.0 / sqrt(variance + static_cast<double>(eps));
    for (Index c = cx.lane(); c < x.cols; c += warp) {
      const auto normal = static_cast<float>((static_cast<double>(cx.load(x, r, c)) - mean) * inverse);
      cx.store(y, r, c, normal * cx.load(gamma, c) + cx.load(beta, c));
    }
    if (statistics.data != nullptr && cx.lane() == 0) {
      cx.store(statistics, 2 * r, static_cast<float>(mean));
      cx.store(statistics, 2 * r + 1, static_cast<float>(inverse));
    }
  }
};

/// dx = (e − mean(e) − x̂·mean(e·x̂))/σ, where e = dy·γ.
struct LayerNormInput : Rows {
  static constexpr const char* name = "layer_norm_backward";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> x, VectorView<const float> gamma,
                              VectorView<const float> statistics, MatrixView<const float> dy, MatrixView<float> dx) {
    const Index r = row(cx);
    if (r >= x.rows) return;
    const float mean = cx.load(statistics, 2 * r), inverse = cx.load(statistics, 2 * r + 1);
    const auto normal = [&](Index c) { return (cx.load(x, r, c) - mean) * inverse; };
    const auto e = [&](Index c) { return cx.load(dy, r, c) * cx.load(gamma, c); };
    const auto n = static_cast<double>(x.cols);
    const auto mean_e = static_cast<float>(sum_row(cx, x.cols, e) / n);
    const auto mean_ex = static_cast<float>(sum_row(cx, x.cols, [&](Index c) { return e(c) * normal(c); }) / n);
    for (Index c = cx.lane(); c < x.cols; c += warp)
      cx.store(dx, r, c, (e(c) - mean_e - normal(c) * mean_ex) * inverse);
  }
};

/// y(n, r) = f(w(r)·x(n) + bias[r]) for every row n of x; f is the activation or, if `gate`, the sigmoid.
struct Dense : Rows {
  static constexpr const char* name = "dense";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> w, VectorView<const float> bias,
                              MatrixView<const float> x, Activation activation, bool gate, MatrixView<float> y) {
    const Index r = row(cx), n = cx.block_y();
    if (r >= w.rows) return;
    const double sum = sum_row(cx, w.cols, [&](Index c) { return cx.load(w, r, c) * cx.load(x, n, c); });
    const float value = static_cast<float>(sum) + cx.load(bias, r);
    if (cx.lane() == 0) cx.store(y, n, r, gate ? sigmoid(value) : activate(value, activation));
  }
};

}  // namespace cuda::kernels
}  // namespace ADTR_ABI
}  // namespace adtr

/// CUDA: sums over columns, and sums over all elements, which take two launches.
#pragma once

#include "adtr/backend/cuda/kernels/sums.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::kernels {

/// sums[c] += Σ a(·, c)
struct ColumnSums : ColumnBlock {
  static constexpr const char* name = "column_sums";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> a, VectorView<float> sums) {
    sum<1>(
        cx, a.rows, a.cols, [&](Index r, Index c, float(&v)[1]) { v[0] = cx.load(a, r, c); },
        [&](Index c, const double(&totals)[1]) {
          cx.store(sums, c, cx.load(sums, c) + static_cast<float>(totals[0]));
        });
  }
};

/// mean(n, c) = mean of channel c over the pixels of image n; block index y is n.
struct ChannelMeans : ColumnBlock {
  static constexpr const char* name = "channel_means";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> x, Index positions, MatrixView<float> mean) {
    const Index n = cx.block_y();
    sum<1>(
        cx, positions, x.cols, [&](Index r, Index c, float(&v)[1]) { v[0] = cx.load(x, n * positions + r, c); },
        [&](Index c, const double(&totals)[1]) {
          cx.store(mean, n, c, static_cast<float>(totals[0] / static_cast<double>(positions)));
        });
  }
};

/// dγ += Σ dy·x̂ and dβ += Σ dy, summed over rows.
struct LayerNormParameters : ColumnBlock {
  static constexpr const char* name = "layer_norm_parameters";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> x, VectorView<const float> statistics,
                              MatrixView<const float> dy, VectorView<float> dgamma, VectorView<float> dbeta) {
    sum<2>(
        cx, x.rows, x.cols,
        [&](Index r, Index c, float(&v)[2]) {
          v[1] = cx.load(dy, r, c);
          v[0] = v[1] * (cx.load(x, r, c) - cx.load(statistics, 2 * r)) * cx.load(statistics, 2 * r + 1);
        },
        [&](Index c, const double(&totals)[2]) {
          cx.store(dgamma, c, cx.load(dgamma, c) + static_cast<float>(totals[0]));
          cx.store(dbeta, c, cx.load(dbeta, c) + static_cast<float>(totals[1]));
        });
  }
};

/// Partial sums over elements, one per block. The caller sets the number of blocks independently of the GPU, so that a
/// sum has the same bits on every GPU.
struct Parts {
  static constexpr int threads = 256;

  template <class Context, class F>
  ADTR_DEVICE static void sum(Context& cx, Index count, VectorView<double> parts, const F& f) {
    double sum = 0.0;
    for (Index i = cx.block_x() * threads + cx.thread(); i < count; i += parts.size * threads)
      sum += f(static_cast<std::uint32_t>(i));
    sum = sum_block<threads>(cx, sum);
    if (cx.thread() == 0) cx.store(parts, cx.block_x(), sum);
  }
};

/// Writes the parts of Σ x².
struct SquaredNorm : Parts {
  static constexpr const char* name = "squared_norm";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, VectorView<const float> x, VectorView<double> parts) {
    sum(cx, x.size, parts, [&](std::uint32_t i) {
      const auto value = static_cast<double>(cx.load(x, Index{i}));
      return value * value;
    });
  }
};

/// dg = scale·(g − f); writes the parts of Σ (g − f)².
struct NormGradient : Parts {
  static constexpr const char* name = "norm_gradient";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> f, MatrixView<const float> g, float scale,
                              MatrixView<float> dg, VectorView<double> parts) {
    const auto width = static_cast<std::uint32_t>(f.cols);
    sum(cx, f.rows * f.cols, parts, [&](std::uint32_t i) {
      const Index r = i / width, c = i % width;
      const float d = cx.load(g, r, c) - cx.load(f, r, c);
      cx.store(dg, r, c, d * scale);
      return static_cast<double>(d) * static_cast<double>(d);
    });
  }
};

/// *sum += Σ parts, computed by one warp.
struct SumOfParts {
  static constexpr const char* name = "sum_of_parts";
  static constexpr int threads = warp;
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, VectorView<const double> parts, VectorView<double> sum) {
    const double total = sum_row(cx, parts.size, [&](Index i) { return cx.load(parts, i); });
    if (cx.lane() == 0) cx.store(sum, 0, cx.load(sum, 0) + total);
  }
};

}  // namespace cuda::kernels
}  // namespace ADTR_ABI
}  // namespace adtr

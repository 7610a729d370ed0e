/// CUDA: the distance to the nearest token of a bank; see nearest_margin.hpp.
#pragma once

#include <cmath>
#include <limits>

#include "adtr/backend/cuda/kernels/gemm.cuh"
#include "adtr/backend/cuda/kernels/rows.cuh"
#include "adtr/backend/nearest_margin.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::kernels {

/// half_norm[r] = ‖b(r)‖²/2
struct HalfNorms : Rows {
  static constexpr const char* name = "half_norms";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> b, VectorView<float> half_norm) {
    const Index r = row(cx);
    if (r >= b.rows) return;
    const double sum = sum_row(cx, b.cols, [&](Index c) { return cx.load(b, r, c) * cx.load(b, r, c); });
    if (cx.lane() == 0) cx.store(half_norm, r, static_cast<float>(0.5 * sum));
  }
};

/// distances[r] = the smallest ‖x(r) − b(·, n)‖₂ over all n. A block has 16 rows of x and takes 64 tokens at a time, so
/// that one image fills more blocks than in the larger tiles of a product. A thread computes four scores of one row;
/// sixteen neighbouring lanes share the row, so all of them know its largest score.
struct Nearest {
  static constexpr const char* name = "nearest";
  static constexpr int side = 16;
  static constexpr int threads = side * side;
  static constexpr int rows = side, own = 4, tokens = side * own;
  static constexpr int depth = 32;
  static constexpr int x_fetched = rows * depth / threads, b_fetched = tokens * depth / threads;
  static constexpr int x_stride = rows + 1;  ///< puts neighbours in k into different banks

  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> x, MatrixView<const float> b,
                              VectorView<const float> half_norm, VectorView<float> distances) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const auto xs = cx.template shared<float, 2 * depth * x_stride, 0>();
    const auto bs = cx.template shared<float, 2 * depth * tokens, 1>();
    const int tx = cx.thread() % side, ty = cx.thread() / side;
    const Index first_row = cx.block_x() * rows, row = first_row + ty;
    const float margin = nearest_margin(x.cols, row_norm(cx, x, row, tx), max_norm(cx, half_norm));
    float top = -infinity, nearest = infinity;
    for (Index first = 0; first < b.cols; first += tokens) {
      Array<float, x_fetched> x_next;
      Array<float, b_fetched> b_next;
      const auto fetch = [&](Index k0) {
        ADTR_UNROLLED for (int i = 0; i < x_fetched; ++i) {
          const int e = cx.thread() + i * threads;
          const Index r = first_row + e / depth, k = k0 + e % depth;
          x_next[i] = r < x.rows && k < x.cols ? cx.load(x, r, k) : 0.0F;
        }
        ADTR_UNROLLED for (int i = 0; i < b_fetched; ++i) {
          const int e = cx.thread() + i * threads;
          const Index k = k0 + e / tokens, n = first + e % tokens;
          b_next[i] = k < b.rows && n < b.cols ? cx.load(b, k, n) : 0.0F;
        }
      };
      const auto put = [&](int stage) {
        ADTR_UNROLLED for (int i = 0; i < x_fetched; ++i) {
          const int e = cx.thread() + i * threads;
          cx.store(xs, (stage * depth + e % depth) * x_stride + e / depth, x_next[i]);
        }
        ADTR_UNROLLED for (int i = 0; i < b_fetched; ++i)
            cx.store(bs, stage * depth * tokens + cx.thread() + i * threads, b_next[i]);
      };
      Array<float, own> scores = {};
      each_slice(cx, x.cols, depth, fetch, put, [&](int stage) {
        ADTR_UNROLLED for (int k = 0; k < depth; ++k) {
          const float of_x = cx.load(xs, (stage * depth + k) * x_stride + ty);
          const Quad of_b = cx.load4(bs, (stage * depth + k) * tokens + own * tx);
          ADTR_UNROLLED for (int j = 0; j < own; ++j) scores[j] += of_x * of_b.v[j];
        }
      });
      cx.barrier();  // the next tokens are put where these were

      float tile_top = -infinity;
      ADTR_UNROLLED for (int j = 0; j < own; ++j) {
        const Index n = first + own * tx + j;
        scores[j] = n < b.cols ? scores[j] - cx.load(half_norm, n) : -infinity;
        tile_top = scores[j] > tile_top ? scores[j] : tile_top;
      }
      tile_top = largest_lane<side>(cx, tile_top);
      top = tile_top > top ? tile_top : top;
      ADTR_UNROLLED for (int j = 0; j < own; ++j) {
        const Index n = first + own * tx + j;
        if (row >= x.rows || n >= b.cols || scores[j] < top - margin) continue;  // not so for NaN
        const float squared = squared_distance(cx, x, row, b, n);
        if (!(squared >= nearest)) nearest = squared;
      }
    }
    nearest = -largest_lane<side>(cx, -nearest);
    if (tx == 0 && row < x.rows) cx.store(distances, row, sqrtf(nearest));
  }

 private:
  /// The norm of a row, in each of the lanes that share it; 0 beyond the last row.
  template <class Context>
  [[nodiscard]] ADTR_DEVICE static float row_norm(Context& cx, MatrixView<const float> x, Index row, int tx) {
    double sum = 0.0;
    if (row < x.rows)
      for (Index k = tx; k < x.cols; k += side) sum += static_cast<double>(cx.load(x, row, k) * cx.load(x, row, k));
    return static_cast<float>(sqrt(sum_lanes<side>(cx, sum)));
  }
  /// The largest norm of a token.
  template <class Context>
  [[nodiscard]] ADTR_DEVICE static float max_norm(Context& cx, VectorView<const float> half_norm) {
    float largest = 0.0F;
    for (Index n = cx.lane(); n < half_norm.size; n += warp) {
      const float other = cx.load(half_norm, n);
      largest = largest < other ? other : largest;
    }
    return sqrtf(2.0F * largest_lane(cx, largest));
  }
  template <class Context>
  [[nodiscard]] ADTR_DEVICE static float squared_distance(Context& cx, MatrixView<const float> x, Index row,
                                                          MatrixView<const float> b, Index n) {
    double sum = 0.0;
    for (Index k = 0; k < x.cols; ++k) {
      const float d = cx.load(x, row, k) - cx.load(b, k, n);
      sum += static_cast<double>(d * d);
    }
    return static_cast<float>(sum);
  }
};

}  // namespace cuda::kernels
}  // namespace ADTR_ABI
}  // namespace adtr

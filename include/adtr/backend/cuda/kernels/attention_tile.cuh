/// CUDA: the common part of the attention kernels: tiles of one head in shared memory, and which thread computes what.
#pragma once

#include <cmath>

#include "adtr/backend/arguments.hpp"
#include "adtr/backend/cuda/kernels/sums.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::kernels {

/// The arguments of attention, with its scale computed.
struct AttentionTask {
  MatrixView<const float> query, key, value;
  MatrixView<float> out;
  VectorView<float> log_sum_exp;
  Dropout dropout;
  Index tokens, heads, channels;
  float scale;
};

/// Tiles of one head in shared memory: `Tokens` rows by D channels, padded with zeros. `Padding` unused elements follow
/// each row.
template <int D, int Tokens, int Threads, int Padding>
struct AttentionMemory {
  static constexpr int threads = Threads;
  static constexpr int tokens = Tokens;
  static constexpr int stride = D + Padding, size = Tokens * stride;
  static constexpr int weight_stride = Tokens + Padding, weights = Tokens * weight_stride;
  static_assert(threads % warp == 0);

  /// The head that a block works on: its index (over all images), its image's first row, and its first column.
  struct Head {
    Index index, row, column;
  };
  [[nodiscard]] ADTR_DEVICE static Index tiles(const AttentionTask& a) { return blocks(a.tokens, Tokens); }
  template <class Context>
  [[nodiscard]] ADTR_DEVICE static Head head(Context& cx, const AttentionTask& a) {
    const Index h = cx.block_x() / tiles(a);
    return {h, h / a.heads * a.tokens, h % a.heads * a.channels};
  }
  /// The first token of the block's own tile.
  template <class Context>
  [[nodiscard]] ADTR_DEVICE static Index first(Context& cx, const AttentionTask& a) {
    return cx.block_x() % tiles(a) * Tokens;
  }

  /// Fills a tile with the tokens starting at `token`.
  template <class Context, class Tile, class T>
  ADTR_DEVICE static void fill(Context& cx, const AttentionTask& a, const Head& h, MatrixView<T> m, Index token,
                               const Tile& tile) {
    for (int e = cx.thread(); e < Tokens * D; e += threads) {
      const int r = e / D, c = e % D;
      const bool inside = token + r < a.tokens && c < a.channels;
      cx.store(tile, r * stride + c, inside ? cx.load(m, h.row + token + r, h.column + c) : 0.0F);
    }
  }

  /// Writes the dropout factors of the weights (i, j) of a tile of queries and a tile of keys, and then waits at a
  /// barrier. Without dropout it does nothing. A thread evaluates one counter of Dropout::words at a time, which serves
  /// eight weights of a row.
  template <class Context, class Weights>
  ADTR_DEVICE static void draw(Context& cx, const AttentionTask& a, const Head& h, Index query, Index key,
                               const Weights& masks) {
    if (!a.dropout.active()) return;
    constexpr int counters = 16;  // a row of up to 64 elements touches at most two blocks of 64
    static_assert(Tokens <= 64);
    for (int e = cx.thread(); e < Tokens * counters; e += threads) {
      const int row = e / counters, counter = e % counters;
      const auto first = static_cast<std::uint64_t>((h.index * a.tokens + query + row) * a.tokens + key);
      if (counter >= 8 && first % 64 + Tokens <= 64) continue;
      const auto words = a.dropout.words(first / 64 * 8 + static_cast<std::uint64_t>(counter));
      const int begin = counter / 8 * 64 + counter % 8 * 2 - static_cast<int>(first % 64);
      ADTR_UNROLLED for (unsigned j = 0; j < 8; ++j) {
        const int column = begin + static_cast<int>(j / 2 * 16 + j % 2);
        if (column < 0 || column >= Tokens) continue;
        const bool keep = (words[j / 2] >> (j % 2 * 16) & 0xFFFF) >= a.dropout.threshold();
        cx.store(masks, row * weight_stride + column, keep ? a.dropout.scale() : 0.0F);
      }
    }
    cx.barrier();
  }
  /// The dropout factor that `draw` wrote for one weight; 1 without dropout.
  template <class Context, class Weights>
  [[nodiscard]] ADTR_DEVICE static float mask(Context& cx, const AttentionTask& a, const Weights& masks, int at) {
    return a.dropout.active() ? cx.load(masks, at) : 1.0F;
  }
};

/// The products of attention tiles in floats. Threads form a square; thread (ty, tx) owns rows ty + side·i and columns
/// (tokens or channels) tx + side·j of each product, so that neighbouring threads access different banks.
template <int D, int Tokens, int PerThread>
struct AttentionTile : AttentionMemory<D, Tokens, Tokens / PerThread*(Tokens / PerThread), 1> {
  static constexpr int side = Tokens / PerThread;
  static constexpr int lanes = side;  ///< number of neighbouring lanes that share a row
  static constexpr int own_rows = PerThread, own_tokens = PerThread, own_channels = D / side;
  using Memory = AttentionMemory<D, Tokens, side * side, 1>;
  using Memory::stride, Memory::weight_stride;
  static_assert(side <= warp && D % side == 0);

  [[nodiscard]] ADTR_DEVICE static int row(int thread, int i) { return thread / side + side * i; }
  [[nodiscard]] ADTR_DEVICE static int column(int thread, int j) { return thread % side + side * j; }

  /// sums[i][j] = row i of x · row j of y, for the thread's rows i and columns j.
  template <class Context, class Tile>
  ADTR_DEVICE static void rows_times_rows(Context& cx, const Tile& x, const Tile& y,
                                          Array<float, PerThread, PerThread>& sums) {
    const int thread = cx.thread();
    ADTR_UNROLLED for (int i = 0; i < PerThread; ++i) ADTR_UNROLLED for (int j = 0; j < PerThread; ++j) sums[i][j] =
        0.0F;
    for (int c = 0; c < D; ++c) {
      Array<float, PerThread> left, right;
      ADTR_UNROLLED for (int i = 0; i < PerThread; ++i) {
        left[i] = cx.load(x, row(thread, i) * stride + c);
        right[i] = cx.load(y, column(thread, i) * stride + c);
      }
      ADTR_UNROLLED for (int i = 0; i < PerThread; ++i) ADTR_UNROLLED for (int j = 0; j < PerThread; ++j) sums[i][j] +=
          left[i] * right[j];
    }
  }

  /// sums += w·x, or wᵀ·x if `Transposed`, for the thread's rows and channels.
  template <bool Transposed, class Context, class Weights, class Tile>
  ADTR_DEVICE static void add_weighted(Context& cx, const Weights& w, const Tile& x,
                                       Array<float, PerThread, own_channels>& sums) {
    const int thread = cx.thread();
    for (int t = 0; t < Tokens; ++t) {
      Array<float, PerThread> weight;
      Array<float, own_channels> value;
      ADTR_UNROLLED for (int i = 0; i < PerThread; ++i) {
        const int own = row(thread, i);
        weight[i] = cx.load(w, Transposed ? t * weight_stride + own : own * weight_stride + t);
      }
      ADTR_UNROLLED for (int n = 0; n < own_channels; ++n) value[n] = cx.load(x, t * stride + column(thread, n));
      ADTR_UNROLLED for (int i = 0; i < PerThread; ++i) ADTR_UNROLLED for (int n = 0; n < own_channels; ++n)
          sums[i][n] += weight[i] * value[n];
    }
  }
};

/// m = sums times a factor per row, for those of the thread's rows and channels that exist in m.
template <class Tile, class Context>
ADTR_DEVICE void write(Context& cx, const AttentionTask& a, const typename Tile::Head& h, Index token,
                       const Array<float, Tile::own_rows, Tile::own_channels>& sums,
                       const Array<float, Tile::own_rows>& factor, MatrixView<float> m) {
  ADTR_UNROLLED for (int i = 0; i < Tile::own_rows; ++i) ADTR_UNROLLED for (int n = 0; n < Tile::own_channels; ++n) {
    const Index r = token + Tile::row(cx.thread(), i), c = Tile::column(cx.thread(), n);
    if (r < a.tokens && c < a.channels) cx.store(m, h.row + r, h.column + c, sums[i][n] * factor[i]);
  }
}

}  // namespace cuda::kernels
}  // namespace ADTR_ABI
}  // namespace adtr

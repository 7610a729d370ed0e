/// CUDA: the products of attention on tensor cores.
#pragma once

#include "adtr/backend/cuda/fragments.hpp"
#include "adtr/backend/cuda/kernels/attention_tile.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::kernels {

/// Like AttentionTile, but factors are rounded to Format when they are read from shared memory; sums are floats. A warp
/// owns 16 rows of a product and all of its columns. A lane owns what its fragments hold: parts of two rows, which it
/// shares with three neighbouring lanes. The row stride is an odd multiple of 4 words, so that a warp that reads four
/// neighbours in k from each of eight rows reaches 32 different banks.
template <class Format, int D, int Tokens>
struct AttentionTensorTile : AttentionMemory<D, Tokens, Tokens / Fragments::rows * warp, 4> {
  static constexpr int lanes = 4;
  static constexpr int own_rows = 2, own_tokens = Tokens / lanes, own_channels = D / lanes;
  using Memory = AttentionMemory<D, Tokens, Tokens / Fragments::rows * warp, 4>;
  using Memory::stride, Memory::weight_stride;
  static_assert(Tokens % 16 == 0 && D % 16 == 0);

  [[nodiscard]] ADTR_DEVICE static int row(int thread, int i) {
    return thread / warp * Fragments::rows + Fragments::c_row(thread % warp, 2 * i);
  }
  [[nodiscard]] ADTR_DEVICE static int column(int thread, int j) {
    return j / 2 * Fragments::columns + Fragments::c_column(thread % warp, j % 2);
  }

  /// sums[i][j] = row i of x · row j of y, for the thread's rows i and columns j.
  template <class Context, class Tile>
  ADTR_DEVICE static void rows_times_rows(Context& cx, const Tile& x, const Tile& y,
                                          Array<float, own_rows, own_tokens>& sums) {
    ADTR_UNROLLED for (int i = 0; i < own_rows; ++i) ADTR_UNROLLED for (int j = 0; j < own_tokens; ++j) sums[i][j] =
        0.0F;
    add<D, own_tokens>(
        cx, [&](int m, int k) { return cx.load(x, m * stride + k); },
        [&](int k, int n) { return cx.load(y, n * stride + k); }, sums);
  }

  /// sums += w·x, or wᵀ·x if `Transposed`, for the thread's rows and channels.
  template <bool Transposed, class Context, class Weights, class Tile>
  ADTR_DEVICE static void add_weighted(Context& cx, const Weights& w, const Tile& x,
                                       Array<float, own_rows, own_channels>& sums) {
    add<Tokens, own_channels>(
        cx, [&](int m, int k) { return cx.load(w, Transposed ? k * weight_stride + m : m * weight_stride + k); },
        [&](int k, int n) { return cx.load(x, k * stride + n); }, sums);
  }

 private:
  /// sums += a(m, k)·b(k, n) over k < Depth.
  template <int Depth, int Own, class Context, class A, class B>
  ADTR_DEVICE static void add(Context& cx, const A& a, const B& b, Array<float, own_rows, Own>& sums) {
    constexpr int values = Format::values;
    const int lane = cx.lane(), first = cx.warp_index() * Fragments::rows;
    for (int word = 0; word < Depth / values; word += Fragments::words) {
      Fragments::A af;
      ADTR_UNROLLED for (int i = 0; i < 4; ++i) {
        Array<float, values> of_word;
        ADTR_UNROLLED for (int v = 0; v < values; ++v) of_word[v] =
            a(first + Fragments::a_row(lane, i), (word + Fragments::a_word(lane, i)) * values + v);
        af[i] = cx.template pack<Format>(of_word);
      }
      ADTR_UNROLLED for (int piece = 0; piece < Own / 2; ++piece) {
        Fragments::B bf;
        ADTR_UNROLLED for (int i = 0; i < 2; ++i) {
          Array<float, values> of_word;
          ADTR_UNROLLED for (int v = 0; v < values; ++v) of_word[v] = b(
              (word + Fragments::b_word(lane, i)) * values + v, piece * Fragments::columns + Fragments::b_column(lane));
          bf[i] = cx.template pack<Format>(of_word);
        }
        Fragments::C c = {sums[0][2 * piece], sums[0][2 * piece + 1], sums[1][2 * piece], sums[1][2 * piece + 1]};
        cx.template mma<Format>(c, af, bf);
        ADTR_UNROLLED for (int i = 0; i < 4; ++i) sums[i / 2][2 * piece + i % 2] = c[i];
      }
    }
  }
};

}  // namespace cuda::kernels
}  // namespace ADTR_ABI
}  // namespace adtr

/// CUDA: matrix products and dense convolution on tensor cores, from tiles in shared memory.
#pragma once

#include "adtr/backend/cuda/fragments.hpp"
#include "adtr/backend/cuda/kernels/product.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::kernels {

/// Where word w of row r (of a, or column of b) of a slice lies in shared memory; lanes that store neighbours are those
/// that have read neighbours.
///
/// Lane 4g + t of a warp reads row r₀ + g, word w₀ + t of a fragment, g < 8 and t < 4. The rows are `stride` apart if
/// neighbours in k are neighbours here, and words are otherwise. There are 32 banks, so the lanes meet
///   stride·g + t = 20g + t or 36g + t, an odd multiple of 4 times g, mod 32 the multiples of 4, once each;
///   stride·t + g = (Size + 8)·t + g = 8t + g (mod 32), for Size a multiple of 32:
/// 32 different banks in either case. Stores are to 32 different banks in the second, at most two to a bank in the
/// first. Slices of small tiles are longer for the reason that Product gives.
template <int Size, bool NeighboursInK>
struct TensorSlice {
  static constexpr int words = (Size == 64 ? 4 : 2) * Fragments::words;
  static constexpr int stride = NeighboursInK ? words + 4 : Size + 8;
  static constexpr int size = NeighboursInK ? Size * stride : words * stride;
  static_assert(Size % 32 == 0 && (NeighboursInK ? stride % 8 == 4 : stride % 32 == 8));

  [[nodiscard]] ADTR_DEVICE static int place(int row, int word) {
    return NeighboursInK ? row * stride + word : word * stride + row;
  }
  /// Of the slice's word number e.
  [[nodiscard]] ADTR_DEVICE static int row_of(int e) { return NeighboursInK ? e / words : e % Size; }
  [[nodiscard]] ADTR_DEVICE static int word_of(int e) { return NeighboursInK ? e % words : e / Size; }
};

/// c = activation(a·b + bias + residual), factors rounded to Format, sums in floats, a square tile of c a block. Every
/// element is one chain of mma instructions over k = 0, depth, 2·depth, …, zeros behind the last: the same bits for
/// both sizes, alone or in a batch.
///
/// Eight warps own `rows` rows by 32 columns of the tile each, in pieces of 16 by 8. Numbers are rounded once, on their
/// way to shared memory, which holds two slices along k: one is multiplied while the next is fetched.
template <class Format, class Left, int Size>
struct ProductTensor {
  static constexpr const char* name = Left::name;
  static constexpr int size = Size;
  static constexpr int threads = 8 * warp;
  static constexpr int min_blocks = 1;  ///< for two, one of the kernels would spill registers
  static constexpr int warps_across = Size / 32;
  static constexpr int rows = Size * warps_across / 8;  ///< of a warp
  static constexpr int values = Format::values;

  using SliceA = TensorSlice<Size, Left::neighbours_in_k>;
  using SliceB = TensorSlice<Size, false>;
  static constexpr int words = SliceA::words;
  static constexpr int depth = words * values;
  static constexpr int fetched = Size * words / threads;
  static constexpr int pieces_down = rows / Fragments::rows;
  static constexpr int pieces_across = 32 / Fragments::columns;

  template <class Context>
  ADTR_DEVICE static void run(Context& cx, Left left, MatrixView<const float> b, Finish finish) {
    const auto as = cx.template shared<Word, 2 * SliceA::size, 0>();
    const auto bs = cx.template shared<Word, 2 * SliceB::size, 1>();
    const Index across = (finish.c.cols + Size - 1) / Size;
    const Index row = cx.block_x() / across * Size, column = cx.block_x() % across * Size;
    const int lane = cx.lane();
    const int down = cx.warp_index() / warps_across * rows, right = cx.warp_index() % warps_across * 32;
    Array<float, fetched, values> a_next, b_next;

    const auto fetch = [&](Index first) {
      ADTR_UNROLLED for (int i = 0; i < fetched; ++i) ADTR_UNROLLED for (int v = 0; v < values; ++v) {
        const int e = cx.thread() + i * threads;
        const Index n = column + SliceB::row_of(e), k = first + SliceB::word_of(e) * values + v;
        a_next[i][v] = left.at(cx, row + SliceA::row_of(e), first + SliceA::word_of(e) * values + v);
        b_next[i][v] = k < b.rows && n < b.cols ? cx.load(b, k, n) : 0.0F;
      }
    };
    const auto put = [&](int stage) {
      ADTR_UNROLLED for (int i = 0; i < fetched; ++i) {
        const int e = cx.thread() + i * threads;
        cx.store(as, stage * SliceA::size + SliceA::place(SliceA::row_of(e), SliceA::word_of(e)),
                 cx.template pack<Format>(a_next[i]));
        cx.store(bs, stage * SliceB::size + SliceB::place(SliceB::row_of(e), SliceB::word_of(e)),
                 cx.template pack<Format>(b_next[i]));
      }
    };

    Array<float, pieces_down, pieces_across, 4> sums = {};
    each_slice(cx, b.rows, depth, fetch, put, [&](int stage) {
      ADTR_UNROLLED for (int w = 0; w < words; w += Fragments::words) {
        Array<Word, pieces_down, 4> af;
        Array<Word, pieces_across, 2> bf;
        ADTR_UNROLLED for (int p = 0; p < pieces_down; ++p) ADTR_UNROLLED for (int i = 0; i < 4; ++i) af[p][i] =
            cx.load(as, stage * SliceA::size + SliceA::place(down + p * Fragments::rows + Fragments::a_row(lane, i),
                                                             w + Fragments::a_word(lane, i)));
        ADTR_UNROLLED for (int p = 0; p < pieces_across; ++p) ADTR_UNROLLED for (int i = 0; i < 2; ++i) bf[p][i] =
            cx.load(bs, stage * SliceB::size + SliceB::place(right + p * Fragments::columns + Fragments::b_column(lane),
                                                             w + Fragments::b_word(lane, i)));
        ADTR_UNROLLED for (int p = 0; p < pieces_down; ++p) ADTR_UNROLLED for (int q = 0; q < pieces_across; ++q)
            cx.template mma<Format>(sums[p][q], af[p], bf[q]);
      }
    });

    ADTR_UNROLLED for (int p = 0; p < pieces_down; ++p) ADTR_UNROLLED for (int q = 0; q < pieces_across; ++q)
        ADTR_UNROLLED for (int i = 0; i < 4; ++i)
            finish.store(cx, row + down + p * Fragments::rows + Fragments::c_row(lane, i),
                         column + right + q * Fragments::columns + Fragments::c_column(lane, i), sums[p][q][i]);
  }
};

}  // namespace cuda::kernels
}  // namespace ADTR_ABI
}  // namespace adtr

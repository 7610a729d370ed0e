/// CUDA: matrix products and dense convolution on tensor cores, with tiles in shared memory.
#pragma once

#include "adtr/backend/cuda/fragments.hpp"
#include "adtr/backend/cuda/kernels/gemm.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::kernels {

/// The layout of a slice in shared memory: `place` maps a row of a (or a column of b) and a word to an index. A lane
/// stores the words that it has read from global memory.
///
/// Lane 4g + t of a warp reads row r₀ + g, word w₀ + t of a fragment, with g < 8 and t < 4. `stride` separates rows if
/// NeighboursInK, and words otherwise. There are 32 banks. Up to a constant, the lanes read these banks (mod 32):
///   with NeighboursInK, stride·g + t = 20g + t or 36g + t, and for g = 0 … 7 both 20g and 36g run through all
///     multiples of 4, once each;
///   otherwise, stride·t + g = (Size + 8)·t + g = 8t + g, as Size is a multiple of 32.
/// In either case these are 32 different banks. Stores reach 32 different banks without NeighboursInK; with it, at most
/// two lanes store to one bank. Slices of small tiles are longer for the reason given at GemmTiles.
template <int Size, bool NeighboursInK>
struct TensorSlice {
  static constexpr int words = (Size == 64 ? 4 : 2) * Fragments::words;
  static constexpr int stride = NeighboursInK ? words + 4 : Size + 8;
  static constexpr int size = NeighboursInK ? Size * stride : words * stride;
  static_assert(Size % 32 == 0 && (NeighboursInK ? stride % 8 == 4 : stride % 32 == 8));

  [[nodiscard]] ADTR_DEVICE static int place(int row, int word) {
    return NeighboursInK ? row * stride + word : word * stride + row;
  }
  /// The row and the word of element e of the slice.
  [[nodiscard]] ADTR_DEVICE static int row_of(int e) { return NeighboursInK ? e / words : e % Size; }
  [[nodiscard]] ADTR_DEVICE static int word_of(int e) { return NeighboursInK ? e % words : e / Size; }
};

/// c = activation(a·b + bias + residual), with factors rounded to Format and sums in floats. A block computes a square
/// tile of c. Every element is summed by one chain of mma instructions in ascending k, with zeros beyond the last k, so
/// that both sizes give the same bits, for one image or for a batch.
///
/// Each of eight warps owns `rows` rows by 32 columns of the tile, in pieces of 16 by 8. Factors are rounded once, when
/// they are stored in shared memory. It holds two slices along k: one is multiplied while the next is fetched.
template <class Format, class Left, int Size>
struct GemmTensor {
  static constexpr const char* name = Left::name;
  static constexpr int size = Size;
  static constexpr int threads = 8 * warp;
  static constexpr int min_blocks = 1;  ///< with 2, one of the kernels would spill registers
  static constexpr int warps_across = Size / 32;
  static constexpr int rows = Size * warps_across / 8;  ///< of the tile, per warp
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
    const Index across = blocks(finish.c.cols, Size);
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

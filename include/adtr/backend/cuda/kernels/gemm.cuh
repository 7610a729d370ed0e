/// CUDA: matrix products with tiles in shared memory and registers; dense convolution is a product with gathered rows.
#pragma once

#include "adtr/backend/cuda/kernels/maps.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::kernels {

/// The left operand a(m, k), stored as the matrix a.
struct LeftRows {
  MatrixView<const float> a;
  static constexpr const char* name = "multiply";
  static constexpr bool neighbours_in_k = true;
  template <class Context>
  [[nodiscard]] ADTR_DEVICE float at(Context& cx, Index m, Index k) const {
    return m < a.rows && k < a.cols ? cx.load(a, m, k) : 0.0F;
  }
};

/// a(m, k)·gates[k]. A thread loads a single k of each slice (two in Bf16) for several rows m, so one gate serves them
/// all.
struct LeftGatedRows {
  MatrixView<const float> a;
  VectorView<const float> gates;
  static constexpr const char* name = "multiply_gated";
  static constexpr bool neighbours_in_k = true;
  template <class Context>
  [[nodiscard]] ADTR_DEVICE float at(Context& cx, Index m, Index k) const {
    const float gate = k < a.cols ? cx.load(gates, k) : 0.0F;
    return (m < a.rows && k < a.cols ? cx.load(a, m, k) : 0.0F) * gate;
  }
};

/// The left operand a(m, k), stored as the transpose of the matrix a.
struct LeftColumns {
  MatrixView<const float> a;
  static constexpr const char* name = "weight_gradient";
  static constexpr bool neighbours_in_k = false;
  template <class Context>
  [[nodiscard]] ADTR_DEVICE float at(Context& cx, Index m, Index k) const {
    return m < a.cols && k < a.rows ? cx.load(a, k, m) : 0.0F;
  }
};

/// Row m holds the pixels under the window of result pixel m, in (ky, kx, c) order.
struct LeftWindows {
  MapView<const float> x;
  Window window;
  Index height, width, pixels;  ///< of the result
  static constexpr const char* name = "convolve";
  static constexpr bool neighbours_in_k = true;
  template <class Context>
  [[nodiscard]] ADTR_DEVICE float at(Context& cx, Index m, Index k) const {
    const auto i = static_cast<std::uint32_t>(k), c = static_cast<std::uint32_t>(x.channels);
    const auto kernel = static_cast<std::uint32_t>(window.kernel);
    if (m >= pixels || i >= kernel * kernel * c) return 0.0F;
    const Pixel p = pixel(m, height, width);
    const Index iy = p.y * window.stride - window.top + Index{i / c / kernel};
    const Index ix = p.x * window.stride - window.left + Index{i / c % kernel};
    if (iy < 0 || iy >= x.height || ix < 0 || ix >= x.width) return 0.0F;
    return cx.load(x, p.n, iy, ix, Index{i % c});
  }
};

/// Processes k = 0 … size in slices of `depth`, with two stages in shared memory. `fetch(first)` loads the next slice
/// into registers while `multiply(stage)` works on the current one; `put(stage)` then stores it in the other stage.
template <class Context, class Fetch, class Put, class Multiply>
ADTR_DEVICE void each_slice(Context& cx, Index size, int depth, const Fetch& fetch, const Put& put,
                            const Multiply& multiply) {
  fetch(0);
  put(0);
  cx.barrier();
  int stage = 0;
  for (Index first = 0; first < size; first += depth, stage = 1 - stage) {
    const bool more = first + depth < size;
    if (more) fetch(first + depth);
    multiply(stage);
    if (!more) break;
    put(1 - stage);
    cx.barrier();
  }
}

/// The epilogue of a product: c(m, n) = activation(sum + bias + residual), if c has an element (m, n).
struct Finish {
  VectorView<const float> bias;
  MatrixView<const float> residual;
  Activation activation;
  MatrixView<float> c;

  template <class Context>
  ADTR_DEVICE void store(Context& cx, Index m, Index n, float sum) const {
    if (m >= c.rows || n >= c.cols) return;
    if (bias.data != nullptr) sum += cx.load(bias, n);
    if (residual.data != nullptr) sum += cx.load(residual, m, n);
    cx.store(c, m, n, activate(sum, activation));
  }
  /// The same epilogue for rows [first, first + count) only.
  [[nodiscard]] ADTR_DEVICE Finish row_range(Index first, Index count) const {
    Finish part{bias, residual, activation, c.row_range(first, count)};
    if (residual.data != nullptr) part.residual = residual.row_range(first, count);
    return part;
  }
};

/// c = activation(a·b + bias + residual). A block computes a square tile of c, a thread Size/16 × Size/16 elements.
/// Every element is summed in the order k = 0, 1, …, whatever the tile, so that both sizes give the same bits, for one
/// image or for a batch.
///
/// A thread owns rows of the tile in groups of four, 64 apart, and columns likewise, so that the threads of a warp read
/// neighbouring Quads. Shared memory holds two slices of a and b, `depth` long in k: one is multiplied while the next
/// is fetched. Small tiles are for grids that leave the GPU half idle. There, no other work hides memory latency, so
/// their slices are longer.
template <class Left, int Size>
struct GemmTiles {
  static constexpr const char* name = Left::name;
  static constexpr int size = Size;
  static constexpr int side = 16;
  static constexpr int threads = side * side;
  static constexpr int own = Size / side, groups = own / 4;
  static constexpr int depth = Size == 64 ? 16 : 8;
  static constexpr int fetched = Size * depth / threads;
  static constexpr int stride = Size + 4;  ///< keeps Quads aligned, and puts neighbours in k four banks apart
  static_assert(own % 4 == 0);

  template <class Context>
  ADTR_DEVICE static void run(Context& cx, Left left, MatrixView<const float> b, Finish finish) {
    const auto as = cx.template shared<float, 2 * depth * stride, 0>();
    const auto bs = cx.template shared<float, 2 * depth * stride, 1>();
    const Index across = blocks(finish.c.cols, Size);
    const Index row = cx.block_x() / across * Size, column = cx.block_x() % across * Size;
    const int tx = cx.thread() % side, ty = cx.thread() / side;
    Array<float, fetched> a_next, b_next;

    const auto fetch = [&](Index first) {
      ADTR_UNROLLED for (int i = 0; i < fetched; ++i) {
        const int e = cx.thread() + i * threads;
        const Index n = column + e % Size, k = first + e / Size;
        a_next[i] = left.at(cx, row + row_of(e), first + k_of(e));
        b_next[i] = k < b.rows && n < b.cols ? cx.load(b, k, n) : 0.0F;
      }
    };
    const auto put = [&](int stage) {
      ADTR_UNROLLED for (int i = 0; i < fetched; ++i) {
        const int e = cx.thread() + i * threads;
        cx.store(as, (stage * depth + k_of(e)) * stride + row_of(e), a_next[i]);
        cx.store(bs, (stage * depth + e / Size) * stride + e % Size, b_next[i]);
      }
    };

    Array<float, own, own> sums = {};
    each_slice(cx, b.rows, depth, fetch, put, [&](int stage) {
      ADTR_UNROLLED for (int k = 0; k < depth; ++k) {
        Array<Quad, groups> as_k, bs_k;
        ADTR_UNROLLED for (int g = 0; g < groups; ++g) {
          as_k[g] = cx.load4(as, (stage * depth + k) * stride + place(4 * g, ty));
          bs_k[g] = cx.load4(bs, (stage * depth + k) * stride + place(4 * g, tx));
        }
        ADTR_UNROLLED for (int i = 0; i < own; ++i) ADTR_UNROLLED for (int j = 0; j < own; ++j) sums[i][j] +=
            as_k[i / 4].v[i % 4] * bs_k[j / 4].v[j % 4];
      }
    });

    ADTR_UNROLLED for (int i = 0; i < own; ++i) ADTR_UNROLLED for (int j = 0; j < own; ++j)
        finish.store(cx, row + place(i, ty), column + place(j, tx), sums[i][j]);
  }

 private:
  /// Row and k of element e of a slice of a, chosen so that neighbouring threads read neighbouring addresses.
  [[nodiscard]] ADTR_DEVICE static int row_of(int e) { return Left::neighbours_in_k ? e / depth : e % Size; }
  [[nodiscard]] ADTR_DEVICE static int k_of(int e) { return Left::neighbours_in_k ? e % depth : e / Size; }
  /// The position in the tile of row or column i of thread t.
  [[nodiscard]] ADTR_DEVICE static int place(int i, int t) { return i / 4 * 64 + 4 * t + i % 4; }
};

/// c = activation((a·gates)·b + bias + residual). The rows of a and c are grouped by image, and each image has a row of
/// gates. Block index y is the image; `Tiles` is a GemmTiles or GemmTensor of LeftGatedRows.
template <class Tiles>
struct GatedGemm {
  static constexpr const char* name = Tiles::name;
  static constexpr int size = Tiles::size;
  static constexpr int threads = Tiles::threads;
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> a, MatrixView<const float> gates,
                              MatrixView<const float> b, Finish finish) {
    const Index positions = a.rows / gates.rows, first = cx.block_y() * positions;
    const VectorView<const float> own(gates.row(cx.block_y()), gates.cols);
    Tiles::run(cx, LeftGatedRows{a.row_range(first, positions), own}, b, finish.row_range(first, positions));
  }
};

/// packed (K, N) = w (N, K) transposed. Each block moves 32×32 elements through shared memory.
struct Transpose {
  static constexpr const char* name = "pack";
  static constexpr int threads = 256;
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> w, MatrixView<float> packed) {
    const auto tile = cx.template shared<float, warp*(warp + 1), 0>();
    const Index across = blocks(w.cols, warp);
    const Index n0 = cx.block_x() / across * warp, k0 = cx.block_x() % across * warp;
    for (int i = cx.warp_index(); i < warp; i += threads / warp)
      if (n0 + i < w.rows && k0 + cx.lane() < w.cols)
        cx.store(tile, i * (warp + 1) + cx.lane(), cx.load(w, n0 + i, k0 + cx.lane()));
    cx.barrier();
    for (int i = cx.warp_index(); i < warp; i += threads / warp)
      if (k0 + i < w.cols && n0 + cx.lane() < w.rows)
        cx.store(packed, k0 + i, n0 + cx.lane(), cx.load(tile, cx.lane() * (warp + 1) + i));
  }
};

/// packed (K, N) = w (K, N)
struct Copy : Elements {
  static constexpr const char* name = "pack_transposed";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> w, MatrixView<float> packed) {
    each(cx, w.rows, w.cols, [&](Index r, Index c) { cx.store(packed, r, c, cx.load(w, r, c)); });
  }
};

}  // namespace cuda::kernels
}  // namespace ADTR_ABI
}  // namespace adtr

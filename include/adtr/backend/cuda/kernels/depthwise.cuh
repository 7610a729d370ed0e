/// CUDA: depthwise convolution, and the part of squeeze-and-excitation that it can compute in the same pass.
#pragma once

#include "adtr/backend/cuda/kernels/maps.cuh"
#include "adtr/backend/cuda/kernels/sums.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::kernels {

/// Whether 0 ≤ i < size, in one comparison; |i| and size are below 2³¹.
[[nodiscard]] ADTR_DEVICE bool within(Index i, Index size) {
  return static_cast<std::uint32_t>(i) < static_cast<std::uint32_t>(size);
}

/// A block of threads computes `side` by `side` pixels of the result in 32 channels. Each warp takes a row of pixels,
/// each lane a channel.
struct FilterBlock {
  static constexpr int side = 8;
  static constexpr int threads = side * warp;
  using Sums = float[side];

  /// The number of blocks per image.
  [[nodiscard]] static constexpr Index count(Index height, Index width, Index channels) {
    return blocks(height, side) * blocks(width, side) * blocks(channels, warp);
  }
};

/// Windows of Kernel by Kernel pixels, `Stride` apart. The block copies its part of x to shared memory, with zeros
/// beyond the map. A thread then reads one line at a time into registers, for all windows of its row.
template <int Kernel, int Stride>
struct TiledWindows {
  static constexpr int side = (FilterBlock::side - 1) * Stride + Kernel;

  /// Adds the products of channel c to the sums of the thread's row. `first` is the block's first pixel.
  template <class Context>
  ADTR_DEVICE static void filter(Context& cx, const MapView<const float>& x, const Window& window,
                                 const MatrixView<const float>& w, const Pixel& first, Index c,
                                 FilterBlock::Sums& sums) {
    const auto tile = cx.template shared<float, side * side * warp, 0>();
    const Index top = first.y * Stride - window.top, left = first.x * Stride - window.left;
    Array<float, side> line;
    for (int r = cx.warp_index(); r < side; r += FilterBlock::side) {
      const bool in_map = within(top + r, x.height) && c < x.channels;
      ADTR_UNROLLED for (int i = 0; i < side; ++i) line[i] =
          in_map && within(left + i, x.width) ? cx.load(x, first.n, top + r, left + i, c) : 0.0F;
      ADTR_UNROLLED for (int i = 0; i < side; ++i) cx.store(tile, (r * side + i) * warp + cx.lane(), line[i]);
    }
    cx.barrier();
    if (c >= x.channels) return;
    ADTR_UNROLLED for (int ky = 0; ky < Kernel; ++ky) {
      const int row = (cx.warp_index() * Stride + ky) * side;
      ADTR_UNROLLED for (int i = 0; i < side; ++i) line[i] = cx.load(tile, (row + i) * warp + cx.lane());
      ADTR_UNROLLED for (int kx = 0; kx < Kernel; ++kx) {
        const float weight = cx.load(w, ky * Kernel + kx, c);
        ADTR_UNROLLED for (int o = 0; o < FilterBlock::side; ++o) sums[o] += line[o * Stride + kx] * weight;
      }
    }
  }
};

/// Windows of any size.
struct AnyWindows {
  template <class Context>
  ADTR_DEVICE static void filter(Context& cx, const MapView<const float>& x, const Window& window,
                                 const MatrixView<const float>& w, const Pixel& first, Index c,
                                 FilterBlock::Sums& sums) {
    if (c >= x.channels) return;
    const Index top = (first.y + cx.warp_index()) * window.stride - window.top;
    const Index left = first.x * window.stride - window.left;
    for (Index ky = 0; ky < window.kernel; ++ky) {
      if (!within(top + ky, x.height)) continue;
      for (Index kx = 0; kx < window.kernel; ++kx) {
        const float weight = cx.load(w, ky * window.kernel + kx, c);
        ADTR_UNROLLED for (int o = 0; o < FilterBlock::side; ++o) {
          const Index ix = left + kx + o * window.stride;
          if (within(ix, x.width)) sums[o] += cx.load(x, first.n, top + ky, ix, c) * weight;
        }
      }
    }
  }
};

/// Up to its activation, the reduction of squeeze-and-excitation is linear in the map. So each block applies it to the
/// pixels that it has filtered, and stores part number `block` of the sum for (n, s).
struct Squeeze {
  MatrixView<const float> w;  ///< (S, C); null without a squeeze
  MatrixView<float> parts;    ///< (batch·S, blocks per image)

  /// `total` is the sum of channel c over the thread's pixels.
  template <class Context>
  ADTR_DEVICE void store(Context& cx, Index n, Index block, Index c, float total) const {
    const auto totals = cx.template shared<float, FilterBlock::threads, 1>();
    cx.store(totals, cx.thread(), total);
    cx.barrier();
    float sum = 0.0F;
    ADTR_UNROLLED for (int r = 0; r < FilterBlock::side; ++r) sum += cx.load(totals, r * warp + cx.lane());
    sum_each_row<FilterBlock::side>(
        cx, w.rows, [&](Index s) { return c < w.cols ? cx.load(w, s, c) * sum : 0.0F; },
        [&](Index s, float part) { cx.store(parts, n * w.rows + s, block, part); });
  }
};

/// y = activation(x filtered + bias), and the parts of the squeeze of y.
template <class Windows>
struct Depthwise : FilterBlock {
  static constexpr const char* name = "depthwise";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MapView<const float> x, Window window, MatrixView<const float> w,
                              VectorView<const float> bias, Activation activation, MapView<float> y, Squeeze squeeze) {
    // The block index runs over channels first, then over the tiles of an image, then over images.
    const auto block = static_cast<std::uint32_t>(cx.block_x());
    const auto groups = static_cast<std::uint32_t>(blocks(y.channels, warp));
    const Index c = Index{block % groups} * warp + cx.lane();
    const Pixel tile = pixel(Index{block / groups}, blocks(y.height, side), blocks(y.width, side));
    const Pixel first{tile.n, tile.y * side, tile.x * side};

    Sums sums;
    const float start = c < y.channels ? cx.load(bias, c) : 0.0F;
    ADTR_UNROLLED for (int o = 0; o < side; ++o) sums[o] = start;
    Windows::filter(cx, x, window, w, first, c, sums);

    const Index row = first.y + cx.warp_index(), pixels = (tile.n * y.height + row) * y.width + first.x;
    const Index inside = c < y.channels && row < y.height ? y.width - first.x : 0;
    float total = 0.0F;
    ADTR_UNROLLED for (int o = 0; o < side; ++o) sums[o] = activate(sums[o], activation);
    ADTR_UNROLLED for (int o = 0; o < side; ++o) if (o < inside) {
      cx.store(y.matrix(), pixels + o, c, sums[o]);
      total += sums[o];
    }
    if (squeeze.w.data == nullptr) return;
    squeeze.store(cx, tile.n, Index{block} - tile.n * count(y.height, y.width, y.channels), c, total);
  }
};

}  // namespace cuda::kernels
}  // namespace ADTR_ABI
}  // namespace adtr

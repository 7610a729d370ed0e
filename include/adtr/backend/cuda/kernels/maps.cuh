/// CUDA: operations of a backbone other than products, one thread per pixel and channel of the result.
#pragma once

#include "adtr/backend/area_cell.hpp"
#include "adtr/backend/cuda/kernels/elements.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::kernels {

/// A pixel of a map.
struct Pixel {
  Index n, y, x;
};

/// Pixel number i of a batch of maps of the given height and width.
[[nodiscard]] ADTR_DEVICE Pixel pixel(Index i, Index height, Index width) {
  const auto p = static_cast<std::uint32_t>(i), w = static_cast<std::uint32_t>(width);
  const auto h = static_cast<std::uint32_t>(height);
  return {Index{p / w / h}, Index{p / w % h}, Index{p % w}};
}

/// Calls fn(iy, ix, k) for each position k of the window over result pixel p that lies inside the map.
template <class T, class F>
ADTR_DEVICE void each_in_window(const MapView<T>& x, const Window& window, const Pixel& p, const F& fn) {
  const Index top = p.y * window.stride - window.top, left = p.x * window.stride - window.left;
  for (Index ky = 0; ky < window.kernel; ++ky) {
    if (top + ky < 0 || top + ky >= x.height) continue;
    for (Index kx = 0; kx < window.kernel; ++kx)
      if (left + kx >= 0 && left + kx < x.width) fn(top + ky, left + kx, ky * window.kernel + kx);
  }
}

struct MaxPool : Elements {
  static constexpr const char* name = "max_pool";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MapView<const float> x, Window window, MapView<float> y) {
    each(cx, y.pixels(), y.channels, [&](Index i, Index c) {
      const Pixel p = pixel(i, y.height, y.width);
      float largest = -std::numeric_limits<float>::infinity();
      each_in_window(x, window, p, [&](Index iy, Index ix, Index) {
        const float value = cx.load(x, p.n, iy, ix, c);
        largest = largest < value ? value : largest;
      });
      cx.store(y.matrix(), i, c, largest);
    });
  }
};

/// The position in the input of output o of a line, with aligned corners. Integer arithmetic makes it exact.
struct Place {
  Index first, second;
  float fraction;
};
[[nodiscard]] ADTR_DEVICE Place place(Index o, Index in, Index out) {
  if (out <= 1) return {0, in > 1 ? Index{1} : Index{0}, 0.0F};
  const auto at = static_cast<std::uint32_t>(o) * static_cast<std::uint32_t>(in - 1);
  const auto steps = static_cast<std::uint32_t>(out - 1);
  const Index first = at / steps;
  return {first, first + 1 < in ? first + 1 : in - 1, static_cast<float>(at % steps) / static_cast<float>(steps)};
}

struct Resize : Elements {
  static constexpr const char* name = "resize";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MapView<const float> x, MapView<float> y) {
    each(cx, y.pixels(), y.channels, [&](Index i, Index c) {
      const Pixel p = pixel(i, y.height, y.width);
      const Place v = place(p.y, x.height, y.height), h = place(p.x, x.width, y.width);
      const auto line = [&](Index iy) {
        return cx.load(x, p.n, iy, h.first, c) * (1.0F - h.fraction) + cx.load(x, p.n, iy, h.second, c) * h.fraction;
      };
      cx.store(y.matrix(), i, c, line(v.first) * (1.0F - v.fraction) + line(v.second) * v.fraction);
    });
  }
};

struct ResizeArea : Elements {
  static constexpr const char* name = "resize_area";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MapView<const float> x, MapView<float> y) {
    each(cx, y.pixels(), y.channels, [&](Index i, Index c) {
      const Pixel p = pixel(i, y.height, y.width);
      const AreaCell down = area_cell(p.y, x.height, y.height), across = area_cell(p.x, x.width, y.width);
      const auto line = [&](Index iy) {
        float sum = cx.load(x, p.n, iy, across.first, c) * across.head;
        for (Index k = 1; k < across.count; ++k)
          sum += cx.load(x, p.n, iy, across.first + k, c) * (k + 1 < across.count ? across.inner : across.tail);
        return sum;
      };
      float sum = line(down.first) * down.head;
      for (Index k = 1; k < down.count; ++k)
        sum += line(down.first + k) * (k + 1 < down.count ? down.inner : down.tail);
      cx.store(y.matrix(), i, c, sum);
    });
  }
};

/// x(n, ·, c) *= gate(n, c)
struct ScaleChannels : Elements {
  static constexpr const char* name = "scale_channels";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<float> x, Index positions, MatrixView<const float> gate) {
    each(cx, x.rows, x.cols, [&](Index r, Index c) {
      const auto n = static_cast<std::uint32_t>(r) / static_cast<std::uint32_t>(positions);
      cx.store(x, r, c, cx.load(x, r, c) * cx.load(gate, Index{n}, c));
    });
  }
};

}  // namespace cuda::kernels
}  // namespace ADTR_ABI
}  // namespace adtr

/// Eigen backend: operations of a backbone other than products: depthwise convolution, squeeze-excite, pooling,
/// resizing.
#pragma once

#include <limits>

#include "adtr/backend/area_cell.hpp"
#include "adtr/backend/eigen/elements.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace eigen {

struct Maps {
  static void depthwise(const Context& context, MapView<const float> x, const Window& window, const float* w,
                        const float* bias, Activation activation, MapView<float> y) {
    for_each(context, y.batch * y.height, [&](Index row) {
      const Index n = row / y.height, oy = row % y.height, channels = y.channels;
      float* const sums = scratch(y.width * channels).take(y.width * channels);
      for (Index ox = 0; ox < y.width; ++ox) std::copy_n(bias, channels, sums + ox * channels);
      each_tap(x, window, y, oy, [&](Index tap, Index iy, Index ix, Index ox) {
        multiply_add(channels, x.pixel(n, iy, ix), w + tap * channels, sums + ox * channels);
      });
      activate(sums, y.width * channels, activation);
      for (Index ox = 0; ox < y.width; ++ox) std::copy_n(sums + ox * channels, channels, y.pixel(n, oy, ox));
    });
  }

  static void squeeze_excite(const Context& context, MapView<float> x, const SqueezeExcite<float>& layer,
                             float* /*scratch*/) {
    for_each(context, x.batch, [&](Index n) {
      const MatrixView<float> rows = x.image(n).matrix();
      const Index channels = x.channels, squeezed = layer.squeezed;
      Arena<float> arena = scratch(channels, squeezed, channels);
      float* const mean = arena.take(channels);
      float* const reduced = arena.take(squeezed);
      float* const gate = arena.take(channels);
      for (Index first = 0; first < channels; first += column_piece) {
        double totals[column_piece];
        const Index count = (std::min)(column_piece, channels - first);
        sum_columns(rows.rows, first, count, totals, [rows](Index r, Index c) { return rows.row(r)[c]; });
        for (Index c = 0; c < count; ++c)
          mean[first + c] = static_cast<float>(totals[c] / static_cast<double>(rows.rows));
      }
      dense(layer.reduce_weight, layer.reduce_bias, mean, channels, squeezed, reduced);
      activate(reduced, squeezed, layer.activation);
      dense(layer.expand_weight, layer.expand_bias, reduced, squeezed, channels, gate);
      sigmoid(gate, channels);
      for (Index r = 0; r < rows.rows; ++r)
        for (Index c = 0; c < channels; ++c) rows.row(r)[c] *= gate[c];
    });
  }

  static void max_pool(const Context& context, MapView<const float> x, const Window& window, MapView<float> y) {
    for_each(context, y.batch * y.height, [&](Index row) {
      const Index n = row / y.height, oy = row % y.height;
      for (Index ox = 0; ox < y.width; ++ox)
        std::fill_n(y.pixel(n, oy, ox), y.channels, -std::numeric_limits<float>::infinity());
      each_tap(x, window, y, oy, [&](Index /*tap*/, Index iy, Index ix, Index ox) {
        const float* const in = x.pixel(n, iy, ix);
        float* const out = y.pixel(n, oy, ox);
        for (Index c = 0; c < y.channels; ++c) out[c] = in[c] > out[c] ? in[c] : out[c];
      });
    });
  }

  static void resize(const Context& context, MapView<const float> x, MapView<float> y) {
    for_each(context, y.batch * y.height, [&](Index row) {
      const Index n = row / y.height, oy = row % y.height;
      const Place v = place(oy, x.height, y.height);
      for (Index ox = 0; ox < y.width; ++ox) {
        const Place h = place(ox, x.width, y.width);
        const float* const corner[] = {x.pixel(n, v.before, h.before), x.pixel(n, v.before, h.after),
                                       x.pixel(n, v.after, h.before), x.pixel(n, v.after, h.after)};
        float* const out = y.pixel(n, oy, ox);
        for (Index c = 0; c < y.channels; ++c) {
          const float above = corner[0][c] * (1.0F - h.fraction) + corner[1][c] * h.fraction;
          const float below = corner[2][c] * (1.0F - h.fraction) + corner[3][c] * h.fraction;
          out[c] = above * (1.0F - v.fraction) + below * v.fraction;
        }
      }
    });
  }

  static void resize_area(const Context& context, MapView<const float> x, MapView<float> y) {
    for_each(context, y.batch * y.height, [&](Index row) {
      const Index n = row / y.height, oy = row % y.height;
      const AreaCell down = area_cell(oy, x.height, y.height);
      for (Index ox = 0; ox < y.width; ++ox) {
        const AreaCell across = area_cell(ox, x.width, y.width);
        float* const out = y.pixel(n, oy, ox);
        std::fill_n(out, y.channels, 0.0F);
        for (Index ky = 0; ky < down.count; ++ky)
          for (Index kx = 0; kx < across.count; ++kx) {
            const float* const in = x.pixel(n, down.first + ky, across.first + kx);
            const float share = share_of(down, ky) * share_of(across, kx);
            for (Index c = 0; c < y.channels; ++c) out[c] += share * in[c];
          }
      }
    });
  }

  static void standardise(const Context& context, MapView<float> x, const float* mean, const float* inverse_std) {
    const MatrixView<float> pixels = x.matrix();
    for_each_piece(context, pixels.rows, 1024, [&](Index first, Index count) {
      for (Index r = first; r < first + count; ++r)
        for (Index c = 0; c < pixels.cols; ++c) pixels.row(r)[c] = (pixels.row(r)[c] - mean[c]) * inverse_std[c];
    });
  }

 private:
  /// The weight of pixel k of a cell.
  static float share_of(const AreaCell& cell, Index k) {
    return k == 0 ? cell.head : k + 1 == cell.count ? cell.tail : cell.inner;
  }

  /// Calls fn(tap, iy, ix, ox) for every tap that lies on the map, of all windows of row oy of the result.
  template <class F>
  static void each_tap(MapView<const float> x, const Window& window, MapView<float> y, Index oy, F&& fn) {
    for (Index ox = 0; ox < y.width; ++ox)
      for (Index ky = 0; ky < window.kernel; ++ky) {
        const Index iy = oy * window.stride + ky - window.top;
        if (iy < 0 || iy >= x.height) continue;
        for (Index kx = 0; kx < window.kernel; ++kx) {
          const Index ix = ox * window.stride + kx - window.left;
          if (ix >= 0 && ix < x.width) fn(ky * window.kernel + kx, iy, ix, ox);
        }
      }
  }

  /// y = w·x + bias, w (outputs, inputs).
  static void dense(const float* w, const float* bias, const float* x, Index inputs, Index outputs, float* y) {
    for (Index o = 0; o < outputs; ++o)
      y[o] = bias[o] + sum<float>(inputs, [&](Index i) { return w[o * inputs + i] * x[i]; });
  }

  /// The position of output pixel o between input pixels: o·(in − 1)/(out − 1).
  struct Place {
    Index before, after;
    float fraction;
  };
  static Place place(Index o, Index in, Index out) {
    const double at = out > 1 ? static_cast<double>(o) * static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0;
    const Index before = (std::min)(static_cast<Index>(at), in - 1);
    return {before, (std::min)(before + 1, in - 1), static_cast<float>(at - static_cast<double>(before))};
  }
};

}  // namespace eigen
}  // namespace ADTR_ABI
}  // namespace adtr

/// Cpu: operations of a backbone other than products.
#pragma once

#include <algorithm>

#include "adtr/backend/cpu/filters.hpp"
#include "adtr/backend/cpu/gemm.hpp"
#include "adtr/core/ceil_div.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cpu {

/// Intermediate values of squeeze-and-excitation, for every image of a batch.
struct Gates {
  float* mean;     ///< (batch, C)
  float* reduced;  ///< (batch, S)
  float* gate;     ///< (batch, C)
  Index batch, channels, squeezed;

  [[nodiscard]] static constexpr Index elements(Index batch, Index channels, Index squeezed) {
    return batch * (2 * channels + squeezed);
  }
  [[nodiscard]] static Gates in(float* scratch, Index batch, Index channels, Index squeezed) {
    float* reduced = scratch + batch * channels;
    return {scratch, reduced, reduced + batch * squeezed, batch, channels, squeezed};
  }

  /// mean = Σ of an image's `rows` rows of x, divided by `positions`.
  void take_mean(const Context& context, const float* x, Index stride, Index rows, Index positions) const {
    const Kernels& kernel = kernels();
    const Index columns = context.range_length(channels, 32, static_cast<double>(rows));
    const Index blocks = ceil_div(channels, columns);
    context.for_each(batch * blocks, [&](Index i) {
      const Index n = i / blocks, c = i % blocks * columns;
      kernel.column_sums(x + n * rows * stride + c, stride, rows, (std::min)(columns, channels - c),
                         1.0F / static_cast<float>(positions), false, mean + n * channels + c);
    });
  }

  void compute(const Context& context, const SqueezeExcite<float>& layer) const {
    const Kernels& kernel = kernels();
    each(context, squeezed, channels, [&](Index n, Index first, Index count) {
      kernel.dense(layer.reduce_weight + first * channels, layer.reduce_bias + first, mean + n * channels, count,
                   channels, layer.activation, reduced + n * squeezed + first);
    });
    each(context, channels, squeezed, [&](Index n, Index first, Index count) {
      float* const out = gate + n * channels + first;
      kernel.dense(layer.expand_weight + first * squeezed, layer.expand_bias + first, reduced + n * squeezed, count,
                   squeezed, Activation::none, out);
      kernel.sigmoid(out, count);
    });
  }

 private:
  /// Calls fn(image, first row, number of rows) for all rows of all images; a row costs `cost` element operations.
  template <class F>
  void each(const Context& context, Index rows, Index cost, F&& fn) const {
    context.for_ranges(batch * rows, 1, static_cast<double>(cost), [&](Index begin, Index end) {
      for (; begin < end; begin += (std::min)(end - begin, rows - begin % rows))
        fn(begin / rows, begin % rows, (std::min)(end - begin, rows - begin % rows));
    });
  }
};

struct Maps {
  static void depthwise(const Context& context, MapView<const float> x, const Window& window, const float* w,
                        const float* bias, Activation activation, MapView<float> y) {
    Filters::run(context, Filters::task(x, window, w, bias, activation, y), x, y);
  }

  static void squeeze_excite(const Context& context, MapView<float> x, const SqueezeExcite<float>& layer,
                             float* scratch) {
    const Index positions = x.height * x.width;
    const Gates gates = Gates::in(scratch, x.batch, x.channels, layer.squeezed);
    gates.take_mean(context, x.data, x.stride, positions, positions);
    gates.compute(context, layer);
    scale(context, x, gates.gate);
  }

  /// Multiplies the pixels of every image by the image's factors (batch, channels).
  static void scale(const Context& context, MapView<float> x, const float* factors) {
    const Kernels& kernel = kernels();
    for (Index n = 0; n < x.batch; ++n) {
      const MatrixView<float> rows = x.image(n).matrix();
      context.for_ranges(rows.rows, 1, static_cast<double>(x.channels), [&](Index begin, Index end) {
        kernel.scale_rows(rows.row(begin), x.stride, end - begin, x.channels, factors + n * x.channels);
      });
    }
  }

  static void max_pool(const Context& context, MapView<const float> x, const Window& window, MapView<float> y) {
    const Kernels& kernel = kernels();
    const WindowTask task = Gemm::window_task(x, window, y);
    const auto cost = static_cast<double>(y.width * y.channels * window.kernel * window.kernel);
    context.for_ranges(y.batch * y.height, 1, cost, [&](Index begin, Index end) {
      WindowTask part = task;
      part.begin = begin;
      part.end = end;
      kernel.max_pool(part);
    });
  }

  static void resize(const Context& context, MapView<const float> x, MapView<float> y) {
    const Kernels& kernel = kernels();
    context.for_ranges(y.batch * y.height, 1, static_cast<double>(4 * y.width * y.channels),
                       [&](Index begin, Index end) {
                         for (Index row = begin; row < end; ++row) {
                           const Index n = row / y.height, oy = row % y.height;
                           const Place v = place(oy, x.height, y.height);
                           for (Index ox = 0; ox < y.width; ++ox) {
                             const Place h = place(ox, x.width, y.width);
                             kernel.blend({{x.pixel(n, v.first, h.first), x.pixel(n, v.first, h.second),
                                            x.pixel(n, v.second, h.first), x.pixel(n, v.second, h.second)},
                                           h.fraction,
                                           v.fraction},
                                          y.pixel(n, oy, ox), y.channels);
                           }
                         }
                       });
  }

  static void resize_area(const Context& context, MapView<const float> x, MapView<float> y) {
    const Kernels& kernel = kernels();
    const auto cost = static_cast<double>(ceil_div(x.height, y.height) * (x.width + y.width) * y.channels);
    context.for_ranges(y.batch * y.height, 1, cost, [&](Index begin, Index end) {
      for (Index ox = 0; ox < y.width; ++ox) {
        const AreaCell across = area_cell(ox, x.width, y.width);
        for (Index row = begin; row < end; ++row) {
          const Index n = row / y.height, oy = row % y.height;
          const AreaCell down = area_cell(oy, x.height, y.height);
          kernel.area({x.pixel(n, down.first, across.first), x.stride, x.width * x.stride, down, across,
                       y.pixel(n, oy, ox), y.channels});
        }
      }
    });
  }

  static void standardise(const Context& context, MapView<float> x, const float* mean, const float* inverse_std) {
    const Kernels& kernel = kernels();
    context.for_ranges(x.pixels(), 1, static_cast<double>(x.channels), [&](Index begin, Index end) {
      kernel.standardise(x.matrix().row(begin), x.stride, end - begin, x.channels, mean, inverse_std);
    });
  }

 private:
  struct Place {
    Index first, second;
    float fraction;
  };

  /// The position of output o in the input line, with corners aligned.
  [[nodiscard]] static Place place(Index o, Index in, Index out) {
    const double at =
        out > 1 ? static_cast<double>(o) * static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0.0;
    const Index first = (std::min)(static_cast<Index>(at), in - 1);
    return {first, (std::min)(first + 1, in - 1), static_cast<float>(at - static_cast<double>(first))};
  }
};

}  // namespace cpu
}  // namespace ADTR_ABI
}  // namespace adtr

/// Cpu: what a backbone does beside products.
#pragma once

#include <algorithm>

#include "adtr/backend/cpu/products.hpp"

namespace adtr::inline ADTR_ABI::cpu {

struct Maps {
  static void depthwise(const Context& context, MapView<const float> x, const Window& window, const float* w,
                        const float* bias, Activation activation, MapView<float> y) {
    const Kernels& kernel = kernels();
    const DepthwiseTask task{Products::window_task(x, window, y), w, bias, activation};
    const auto cost = static_cast<double>(y.width * y.channels * window.kernel);
    context.for_ranges(y.batch * y.height, 1, cost, [&](Index begin, Index end) {
      DepthwiseTask part = task;
      part.maps.begin = begin;
      part.maps.end = end;
      kernel.depthwise(part);
    });
  }

  static void squeeze_excite(const Context& context, MapView<float> x, const SqueezeExcite<float>& layer,
                             float* scratch) {
    const Kernels& kernel = kernels();
    const Index channels = x.channels, squeezed = layer.squeezed, positions = x.height * x.width;
    float* mean = scratch;
    float* reduced = mean + x.batch * channels;
    float* gate = reduced + x.batch * squeezed;
    const Index columns = context.range_length(channels, 32, static_cast<double>(positions));
    const Index blocks = (channels + columns - 1) / columns;
    context.for_each(x.batch * blocks, [&](Index i) {
      const Index n = i / blocks, c = i % blocks * columns;
      kernel.column_sums(x.image(n).data + c, x.stride, positions, std::min(columns, channels - c),
                         1.0F / static_cast<float>(positions), false, mean + n * channels + c);
    });
    context.for_ranges(x.batch * squeezed, 1, static_cast<double>(channels), [&](Index begin, Index end) {
      for_rows_of_images(begin, end, squeezed, [&](Index n, Index s, Index count) {
        kernel.dense(layer.reduce_weight + s * channels, layer.reduce_bias + s, mean + n * channels, count, channels,
                     layer.activation, reduced + n * squeezed + s);
      });
    });
    context.for_ranges(x.batch * channels, 1, static_cast<double>(squeezed), [&](Index begin, Index end) {
      for_rows_of_images(begin, end, channels, [&](Index n, Index c, Index count) {
        kernel.dense(layer.expand_weight + c * squeezed, layer.expand_bias + c, reduced + n * squeezed, count, squeezed,
                     Activation::none, gate + n * channels + c);
      });
      kernel.sigmoid(gate + begin, end - begin);
    });
    context.for_ranges(x.pixels(), 1, static_cast<double>(channels), [&](Index begin, Index end) {
      for_rows_of_images(begin, end, positions, [&](Index n, Index row, Index count) {
        kernel.scale_rows(x.image(n).matrix().row(row), x.stride, count, channels, gate + n * channels);
      });
    });
  }

  static void max_pool(const Context& context, MapView<const float> x, const Window& window, MapView<float> y) {
    const Kernels& kernel = kernels();
    const WindowTask task = Products::window_task(x, window, y);
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

  /// Where output o of a line lies in the input, corners aligned.
  [[nodiscard]] static Place place(Index o, Index in, Index out) {
    const double at =
        out > 1 ? static_cast<double>(o) * static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0.0;
    const Index first = std::min(static_cast<Index>(at), in - 1);
    return {first, std::min(first + 1, in - 1), static_cast<float>(at - static_cast<double>(first))};
  }

  /// Cuts a range of rows of all images at the images: fn(image, first row, rows).
  template <class F>
  static void for_rows_of_images(Index begin, Index end, Index rows, F&& fn) {
    while (begin < end) {
      const Index image = begin / rows, row = begin % rows, count = std::min(end - begin, rows - row);
      fn(image, row, count);
      begin += count;
    }
  }
};

}  // namespace adtr::inline ADTR_ABI::cpu

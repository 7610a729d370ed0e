/// Reference: operations of a backbone other than products: depthwise convolution, squeeze-excite, pooling, resizing.
#pragma once

#include <limits>

#include "adtr/backend/reference/gemm.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace reference {

template <class T>
struct Maps {
  static void depthwise(const Context&, MapView<const T> x, const Window& window, const T* w, const T* bias,
                        Activation activation, MapView<T> y) {
    for (Index n = 0; n < y.batch; ++n)
      for (Index oy = 0; oy < y.height; ++oy)
        for (Index ox = 0; ox < y.width; ++ox)
          for (Index c = 0; c < y.channels; ++c) {
            double sum = static_cast<double>(bias[c]);
            for (Index ky = 0; ky < window.kernel; ++ky)
              for (Index kx = 0; kx < window.kernel; ++kx) {
                const Index iy = oy * window.stride + ky - window.top;
                const Index ix = ox * window.stride + kx - window.left;
                if (iy < 0 || iy >= x.height || ix < 0 || ix >= x.width) continue;
                sum += static_cast<double>(x.pixel(n, iy, ix)[c]) *
                       static_cast<double>(w[(ky * window.kernel + kx) * x.channels + c]);
              }
            y.pixel(n, oy, ox)[c] = static_cast<T>(activate(sum, activation));
          }
  }

  static void squeeze_excite(const Context&, MapView<T> x, const SqueezeExcite<T>& layer, T* /*scratch*/) {
    const auto channels = static_cast<std::size_t>(x.channels);
    const auto squeezed = static_cast<std::size_t>(layer.squeezed);
    std::vector<double> mean(channels), reduced(squeezed);
    for (Index n = 0; n < x.batch; ++n) {
      const MatrixView<T> rows = x.image(n).matrix();
      for (std::size_t c = 0; c < channels; ++c) {
        double sum = 0.0;
        for (Index r = 0; r < rows.rows; ++r) sum += static_cast<double>(rows.row(r)[c]);
        mean[c] = sum / static_cast<double>(rows.rows);
      }
      for (std::size_t s = 0; s < squeezed; ++s) {
        double sum = static_cast<double>(layer.reduce_bias[s]);
        for (std::size_t c = 0; c < channels; ++c)
          sum += mean[c] * static_cast<double>(layer.reduce_weight[s * channels + c]);
        reduced[s] = activate(sum, layer.activation);
      }
      for (std::size_t c = 0; c < channels; ++c) {
        double sum = static_cast<double>(layer.expand_bias[c]);
        for (std::size_t s = 0; s < squeezed; ++s)
          sum += reduced[s] * static_cast<double>(layer.expand_weight[c * squeezed + s]);
        const double gate = 1.0 / (1.0 + std::exp(-sum));
        for (Index r = 0; r < rows.rows; ++r)
          rows.row(r)[c] = static_cast<T>(static_cast<double>(rows.row(r)[c]) * gate);
      }
    }
  }

  static void max_pool(const Context&, MapView<const T> x, const Window& window, MapView<T> y) {
    for (Index n = 0; n < y.batch; ++n)
      for (Index oy = 0; oy < y.height; ++oy)
        for (Index ox = 0; ox < y.width; ++ox)
          for (Index c = 0; c < y.channels; ++c) {
            T largest = -std::numeric_limits<T>::infinity();
            for (Index ky = 0; ky < window.kernel; ++ky)
              for (Index kx = 0; kx < window.kernel; ++kx) {
                const Index iy = oy * window.stride + ky - window.top;
                const Index ix = ox * window.stride + kx - window.left;
                if (iy < 0 || iy >= x.height || ix < 0 || ix >= x.width) continue;
                largest = (std::max)(largest, x.pixel(n, iy, ix)[c]);
              }
            y.pixel(n, oy, ox)[c] = largest;
          }
  }

  /// Output pixel o lies at o·(in − 1)/(out − 1) of the input; an output of one pixel is the first one (PyTorch).
  static void resize(const Context&, MapView<const T> x, MapView<T> y) {
    const auto place = [](Index o, Index in, Index out) {
      return out > 1 ? static_cast<double>(o) * static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0.0;
    };
    for (Index n = 0; n < y.batch; ++n)
      for (Index oy = 0; oy < y.height; ++oy)
        for (Index ox = 0; ox < y.width; ++ox) {
          const double py = place(oy, x.height, y.height);
          const double px = place(ox, x.width, y.width);
          const Index y0 = (std::min)(static_cast<Index>(py), x.height - 1), y1 = (std::min)(y0 + 1, x.height - 1);
          const Index x0 = (std::min)(static_cast<Index>(px), x.width - 1), x1 = (std::min)(x0 + 1, x.width - 1);
          const double fy = py - static_cast<double>(y0);
          const double fx = px - static_cast<double>(x0);
          const auto at = [&](Index iy, Index ix, Index c) { return static_cast<double>(x.pixel(n, iy, ix)[c]); };
          for (Index c = 0; c < y.channels; ++c) {
            const double above = at(y0, x0, c) * (1 - fx) + at(y0, x1, c) * fx;
            const double below = at(y1, x0, c) * (1 - fx) + at(y1, x1, c) * fx;
            y.pixel(n, oy, ox)[c] = static_cast<T>(above * (1 - fy) + below * fy);
          }
        }
  }

  /// Output pixel o is the mean over [o·in/out, (o + 1)·in/out) of the input in both directions.
  static void resize_area(const Context&, MapView<const T> x, MapView<T> y) {
    // Weights of all input pixels, most of which are 0: slow and plain.
    const auto weights = [](Index o, Index in, Index out) {
      std::vector<double> shares(static_cast<std::size_t>(in));
      for (Index i = 0; i < in; ++i) {
        const Index length = (std::min)((o + 1) * in, (i + 1) * out) - (std::max)(o * in, i * out);
        shares[static_cast<std::size_t>(i)] =
            static_cast<double>((std::max)(length, Index{0})) / static_cast<double>(in);
      }
      return shares;
    };
    for (Index oy = 0; oy < y.height; ++oy)
      for (Index ox = 0; ox < y.width; ++ox) {
        const std::vector<double> down = weights(oy, x.height, y.height), across = weights(ox, x.width, y.width);
        for (Index n = 0; n < y.batch; ++n)
          for (Index c = 0; c < y.channels; ++c) {
            double sum = 0.0;
            for (Index iy = 0; iy < x.height; ++iy) {
              if (down[static_cast<std::size_t>(iy)] == 0.0) continue;
              for (Index ix = 0; ix < x.width; ++ix)
                if (const double share = down[static_cast<std::size_t>(iy)] * across[static_cast<std::size_t>(ix)];
                    share > 0.0)
                  sum += share * static_cast<double>(x.pixel(n, iy, ix)[c]);
            }
            y.pixel(n, oy, ox)[c] = static_cast<T>(sum);
          }
      }
  }

  static void standardise(const Context&, MapView<T> x, const T* mean, const T* inverse_std) {
    const MatrixView<T> rows = x.matrix();
    for (Index r = 0; r < rows.rows; ++r)
      for (Index c = 0; c < rows.cols; ++c) rows.row(r)[c] = (rows.row(r)[c] - mean[c]) * inverse_std[c];
  }
};

}  // namespace reference
}  // namespace ADTR_ABI
}  // namespace adtr

/// A trainable 3×3 convolution over token maps.
#pragma once

#include "adtr/nn/linear.hpp"
#include "adtr/nn/padding.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// y(u) = b + Σ W(v − u)·x(v) over the 3×3 neighbourhood of u, with zeros around the map and as many output channels as
/// input channels. W is (out, ky, kx, in).
template <Index Height, Index Width, Index Channels>
struct MapConvolution {
  static constexpr Index kernel = 3;
  static constexpr Index taps = kernel * kernel;
  static constexpr Index macs = Height * Width * Channels * Channels * taps;
  using Map = Extents<Height, Width, Channels>;

  template <class T>
  struct Parameters {
    T* weight = nullptr;
    T* bias = nullptr;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("weight", self.weight, Shape{Channels, taps * Channels});
      visit("bias", self.bias, Shape{Channels});
    }
  };

  template <Backend B>
  struct Weights {
    typename B::Packed forward, backward;  ///< backward: for the gradient's convolution; empty in inference
    typename B::Memory bias;
  };

  template <Backend B>
  static void prepare(const typename B::Context& context, const Parameters<typename B::Scalar>& p, Mode mode,
                      Weights<B>& w) {
    static_assert(B::on_host, "MapConvolution, an ablation's layer, works in the host's memory");
    using T = typename B::Scalar;
    B::pack(context, {p.weight, Channels, taps * Channels}, w.forward);
    assign<B>(context, w.bias, p.bias, Channels);
    if (mode == Mode::inference) return;
    // dx is dy convolved with W rotated by 180°, with input and output channels exchanged.
    Buffer<T> turned(Channels * taps * Channels);
    for (Index out = 0; out < Channels; ++out)
      for (Index tap = 0; tap < taps; ++tap)
        for (Index in = 0; in < Channels; ++in)
          turned.data()[(in * taps + taps - 1 - tap) * Channels + out] = p.weight[(out * taps + tap) * Channels + in];
    B::pack(context, {turned.data(), Channels, taps * Channels}, w.backward);
  }

  /// y = conv(x) + b + residual, all contiguous (batch·Height·Width, Channels).
  template <Backend B>
  static void forward(const typename B::Context& context, const Weights<B>& w, MatrixIn<B> x, MatrixIn<B> residual,
                      MatrixOut<B> y) {
    convolve<B>(context, w.forward, {w.bias.data(), residual, Activation::none}, x, y);
  }

  /// Adds to the gradients of W and b. Computes dx = gradient of the input + residual. Takes a matrix of x's size from
  /// `scratch`.
  template <Backend B>
  static void backward(const typename B::Context& context, const Weights<B>& w, MatrixIn<B> x, MatrixIn<B> dy,
                       const Parameters<typename B::Scalar>& gradient, MatrixIn<B> residual, MatrixOut<B> dx,
                       Arena<typename B::Scalar> scratch) {
    B::accumulate_column_sums(context, dy, gradient.bias);
    const MatrixOut<B> shifted(scratch.take(x.rows * Channels), x.rows, Channels);
    const MatrixOut<B> d_weight(gradient.weight, Channels, taps * Channels);
    for (Index tap = 0; tap < taps; ++tap) {
      shift(x, tap / kernel - 1, tap % kernel - 1, shifted);
      B::accumulate_weight_gradient(context, dy, MatrixIn<B>(shifted), d_weight.columns(tap * Channels, Channels));
    }
    convolve<B>(context, w.backward, {nullptr, residual, Activation::none}, dy, dx);
  }

 private:
  template <Backend B>
  static void convolve(const typename B::Context& context, const typename B::Packed& w,
                       const Epilogue<typename B::Scalar>& epilogue, MatrixIn<B> x, MatrixOut<B> y) {
    const Index batch = x.rows / Map::positions;
    B::convolve(context, map_view<Map>(x.data, batch), window(Height, Width, kernel, 1, Padding::symmetric), w,
                epilogue, map_view<Map>(y.data, batch));
  }

  /// Shifts a map: out(y, x) = in(y + dy, x + dx), and 0 if that lies outside the map.
  template <class T>
  static void shift(MatrixView<const T> in, Index dy, Index dx, MatrixView<T> out) {
    std::fill_n(out.data, out.rows * Channels, T{});
    const Index from = std::max(Index{0}, -dx), count = Width - std::abs(dx);
    for (Index line = 0; line < out.rows / Width; ++line) {
      const Index y = line % Height + dy;
      if (y < 0 || y >= Height || count <= 0) continue;
      std::copy_n(in.row((line + dy) * Width + from + dx), count * Channels, out.row(line * Width + from));
    }
  }
};

}  // namespace ADTR_ABI
}  // namespace adtr

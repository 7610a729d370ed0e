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
    using T = typename B::Scalar;
    using In = MatrixIn<B>;
    using Out = MatrixOut<B>;
    using InGradient = MatrixOut<B>;
    struct Kept {};
    typename B::Packed for_forward;
    typename B::Packed for_backward;  ///< for the gradient's convolution; empty in inference
    typename B::Memory bias;

    void prepare(const Preparation<B>& how, const Parameters<T>& p) {
      static_assert(B::on_host, "MapConvolution, an ablation's layer, works in the host's memory");
      B::pack(how.context, {p.weight, Channels, taps * Channels}, for_forward);
      assign<B>(how.context, bias, p.bias, Channels);
      if (how.mode == Mode::inference) return;
      // dx is dy convolved with W rotated by 180°, with input and output channels exchanged.
      Buffer<T> turned(Channels * taps * Channels);
      for (Index out = 0; out < Channels; ++out)
        for (Index tap = 0; tap < taps; ++tap)
          for (Index in = 0; in < Channels; ++in)
            turned.data()[(in * taps + taps - 1 - tap) * Channels + out] = p.weight[(out * taps + tap) * Channels + in];
      B::pack(how.context, {turned.data(), Channels, taps * Channels}, for_backward);
    }

    /// y = conv(x) + b + residual, all contiguous (batch·Height·Width, Channels).
    Kept forward(const Pass<B>& pass, In x, Out y, Arena<T>& /*arena*/, MatrixIn<B> residual = {}) const {
      convolve(pass, for_forward, {bias.data(), residual, Activation::none}, x, y);
      return {};
    }

    /// Adds to the gradients of W and b. Computes dx = gradient of the input + residual.
    void backward(const Pass<B>& pass, In x, const Kept& /*kept*/, MatrixIn<B> dy, const Parameters<T>& gradient,
                  InGradient dx, Arena<T>& arena, MatrixIn<B> residual = {}) const {
      const ArenaScope<T> scope(arena);
      B::accumulate_column_sums(pass.context, dy, gradient.bias);
      const auto shifted = take_rows(arena, x.rows, Channels);
      const MatrixOut<B> d_weight(gradient.weight, Channels, taps * Channels);
      for (Index tap = 0; tap < taps; ++tap) {
        shift(pass, x, tap / kernel - 1, tap % kernel - 1, shifted);
        B::accumulate_weight_gradient(pass.context, dy, shifted, d_weight.columns(tap * Channels, Channels));
      }
      convolve(pass, for_backward, {nullptr, residual, Activation::none}, dy, dx);
    }

   private:
    static void convolve(const Pass<B>& pass, const typename B::Packed& w, const Epilogue<T>& epilogue, In x, Out y) {
      const Index batch = x.rows / Map::positions;
      B::convolve(pass.context, map_view<Map>(x.data, batch), window(Height, Width, kernel, 1, Padding::symmetric), w,
                  epilogue, map_view<Map>(y.data, batch));
    }

    /// Shifts a map: out(y, x) = in(y + dy, x + dx), and 0 if that lies outside the map.
    static void shift(const Pass<B>& pass, In in, Index dy, Index dx, Out out) {
      B::zero(pass.context, out.data, out.rows * Channels);
      const Index from = (std::max)(Index{0}, -dx), count = Width - std::abs(dx);
      for (Index line = 0; line < out.rows / Width; ++line) {
        const Index y = line % Height + dy;
        if (y < 0 || y >= Height || count <= 0) continue;
        B::copy(pass.context, in.row_range((line + dy) * Width + from + dx, count),
                out.row_range(line * Width + from, count));
      }
    }
  };
};
static_assert(TrainableLayer<MapConvolution<2, 2, 4>>, "MapConvolution must be a TrainableLayer");

}  // namespace ADTR_ABI
}  // namespace adtr

/// The layer that replaces a transformer layer in the ablations: the same without attention.
#pragma once

#include "adtr/nn/map_convolution.hpp"
#include "adtr/nn/transformer.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// y = norm2(x₁ + feed_forward(x₁)). x₁ = norm1(x + conv3×3(x)) if S.mixing is convolution, and x₁ = x if it is none.
template <Index Height, Index Width, TransformerSpec S>
struct PlainLayer {
  static constexpr Index C = S.channels;
  static constexpr bool convolves = S.mixing == Mixing::convolution;
  using Convolution = MapConvolution<Height, Width, C>;
  using Ffn = FeedForward<C, S.hidden>;
  using Norm = LayerNorm<C>;
  static constexpr Index dropout_sites = 3;
  static constexpr Index macs = (convolves ? Convolution::macs : 0) + Height * Width * Ffn::macs_per_token;

  template <class T>
  struct Parameters {
    ParametersOf<Convolution, T> conv;
    ParametersOf<Norm, T> norm1;  ///< conv and norm1 are used only if the layer convolves
    ParametersOf<Ffn, T> ffn;
    ParametersOf<Norm, T> norm2;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      if constexpr (convolves) {
        visit("conv", self.conv);
        visit("norm1", self.norm1);
      }
      visit("", self.ffn);
      visit("norm2", self.norm2);
    }
  };

  template <Backend B>
  struct Weights {
    using T = typename B::Scalar;
    using In = MatrixIn<B>;
    using Out = MatrixOut<B>;
    using InGradient = MatrixOut<B>;
    struct Kept {
      MatrixOut<B> sum1, mixed, sum2;  ///< input and output (x₁) of norm1, and the input of norm2
      typename WeightsOf<Ffn, B>::Kept ffn;
      typename WeightsOf<Norm, B>::Kept norm1, norm2;
    };
    WeightsOf<Convolution, B> conv;
    WeightsOf<Ffn, B> ffn;
    WeightsOf<Norm, B> norm1, norm2;

    void prepare(const Preparation<B>& how, const Parameters<T>& p) {
      if constexpr (convolves) {
        conv.prepare(how, p.conv);
        norm1.prepare(how, p.norm1);
      }
      ffn.prepare(how, p.ffn);
      norm2.prepare(how, p.norm2);
    }

    /// Computes y (rows, C) from x (rows, C).
    Kept forward(const Pass<B>& pass, In x, Out y, Arena<T>& arena) const {
      const auto scope = pass.activations(arena);
      Kept kept;
      if constexpr (convolves) {
        kept.sum1 = take_rows(arena, x.rows, C);
        kept.mixed = take_rows(arena, x.rows, C);
        detail::add_sublayer(pass, 0, x, kept.sum1, [&](MatrixOut<B> out, MatrixIn<B> residual) {
          return conv.forward(pass, x, out, arena, residual);
        });
        kept.norm1 = norm1.forward(pass, kept.sum1, kept.mixed, arena);
      }
      const MatrixIn<B> mixed = convolves ? MatrixIn<B>(kept.mixed) : x;
      kept.sum2 = take_rows(arena, x.rows, C);
      kept.ffn = detail::add_sublayer(pass, 2, mixed, kept.sum2, [&](MatrixOut<B> out, MatrixIn<B> residual) {
        return ffn.forward(pass.from(1), mixed, out, arena, residual);
      });
      kept.norm2 = norm2.forward(pass, kept.sum2, y, arena);
      return kept;
    }

    /// Computes dx from dy, which may be in the same memory. Adds to `gradient`.
    void backward(const Pass<B>& pass, In x, const Kept& kept, MatrixIn<B> dy, const Parameters<T>& gradient,
                  InGradient dx, Arena<T>& arena) const {
      const ArenaScope<T> scope(arena);
      const auto d_sum = take_rows(arena, x.rows, C), d_sublayer = take_rows(arena, x.rows, C);
      norm2.backward(pass, kept.sum2, kept.norm2, dy, gradient.norm2, d_sum, arena);
      ffn.backward(pass.from(1), convolves ? MatrixIn<B>(kept.mixed) : x, kept.ffn,
                   detail::dropped<B>(pass, 2, d_sum, d_sublayer), gradient.ffn, dx, arena, d_sum);
      if constexpr (convolves) {
        norm1.backward(pass, kept.sum1, kept.norm1, dx, gradient.norm1, d_sum, arena);
        conv.backward(pass, x, {}, detail::dropped<B>(pass, 0, d_sum, d_sublayer), gradient.conv, dx, arena, d_sum);
      }
    }
  };
};
static_assert(TrainableLayer<PlainLayer<2, 2, TransformerSpec{}>>, "PlainLayer must be a TrainableLayer");

}  // namespace ADTR_ABI
}  // namespace adtr

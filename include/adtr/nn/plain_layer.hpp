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
    typename Convolution::template Parameters<T> conv;
    typename Norm::template Parameters<T> norm1;  ///< conv and norm1 are used only if the layer convolves
    typename Ffn::First::template Parameters<T> linear1;
    typename Ffn::Second::template Parameters<T> linear2;
    typename Norm::template Parameters<T> norm2;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      if constexpr (convolves) {
        visit("conv", self.conv);
        visit("norm1", self.norm1);
      }
      visit("linear1", self.linear1);
      visit("linear2", self.linear2);
      visit("norm2", self.norm2);
    }
  };

  template <Backend B>
  struct Weights {
    typename Convolution::template Weights<B> conv;
    typename Ffn::First::template Weights<B> linear1;
    typename Ffn::Second::template Weights<B> linear2;
    typename Norm::template Weights<B> norm1, norm2;
  };

  template <Backend B>
  static void prepare(const typename B::Context& context, const Parameters<typename B::Scalar>& p, Mode mode,
                      Weights<B>& w) {
    if constexpr (convolves) {
      Convolution::template prepare<B>(context, p.conv, mode, w.conv);
      Norm::template prepare<B>(context, p.norm1, w.norm1);
    }
    Ffn::First::template prepare<B>(context, p.linear1, mode, w.linear1);
    Ffn::Second::template prepare<B>(context, p.linear2, mode, w.linear2);
    Norm::template prepare<B>(context, p.norm2, w.norm2);
  }

  template <class T>
  struct Activations {
    detail::NormActivations<T> norm1, norm2;
    T* mixed = nullptr;  ///< x₁, if the layer convolves
    T* hidden = nullptr;
    constexpr Activations() = default;
    constexpr Activations(Arena<T>& arena, Index rows)
        : norm1(arena, convolves ? rows : 0, C),
          norm2(arena, rows, C),
          mixed(arena.take(convolves ? rows * C : 0)),
          hidden(arena.take(rows * S.hidden)) {}
  };

  /// Computes y (rows, C) from x (rows, C); `site` is the layer's first dropout site.
  template <Backend B>
  static void forward(const Pass<B>& pass, const Weights<B>& w, Index site, const Activations<typename B::Scalar>& a,
                      MatrixIn<B> x, MatrixOut<B> y) {
    const auto rows = [&](auto* data, Index cols = C) { return MatrixOut<B>(data, x.rows, cols); };
    if constexpr (convolves) {
      detail::add_sublayer(pass, site, x, rows(a.norm1.sum), [&](MatrixIn<B> residual, MatrixOut<B> out) {
        Convolution::template forward<B>(pass.context, w.conv, x, residual, out);
      });
      Norm::template forward<B>(pass.context, w.norm1, rows(a.norm1.sum), rows(a.mixed), a.norm1.statistics);
    }
    const MatrixIn<B> mixed = convolves ? MatrixIn<B>(rows(a.mixed)) : x;
    detail::add_sublayer(pass, site + 2, mixed, rows(a.norm2.sum), [&](MatrixIn<B> residual, MatrixOut<B> out) {
      Ffn::template forward<B>(pass.context, w.linear1, w.linear2, mixed, pass.at(site + 1), rows(a.hidden, S.hidden),
                               residual, out);
    });
    Norm::template forward<B>(pass.context, w.norm2, rows(a.norm2.sum), y, a.norm2.statistics);
  }

  /// Computes dx from dy, which may be in the same memory. Adds to `gradient`.
  template <Backend B>
  static void backward(const Pass<B>& pass, const Weights<B>& w, Index site, const Activations<typename B::Scalar>& a,
                       MatrixIn<B> x, MatrixIn<B> dy, const Parameters<typename B::Scalar>& gradient, MatrixOut<B> dx,
                       Arena<typename B::Scalar> scratch) {
    const auto rows = [&](auto* data, Index cols = C) { return MatrixOut<B>(data, x.rows, cols); };
    const auto d_sum = rows(scratch.take(x.rows * C)), d_sublayer = rows(scratch.take(x.rows * C));
    Norm::template backward<B>(pass.context, w.norm2, rows(a.norm2.sum), a.norm2.statistics, dy, gradient.norm2, d_sum);
    Ffn::template backward<B>(pass.context, w.linear1, w.linear2, convolves ? MatrixIn<B>(rows(a.mixed)) : x,
                              pass.at(site + 1), rows(a.hidden, S.hidden),
                              detail::dropped<B>(pass, site + 2, d_sum, d_sublayer), gradient.linear1, gradient.linear2,
                              d_sum, dx, scratch);
    if constexpr (convolves) {
      Norm::template backward<B>(pass.context, w.norm1, rows(a.norm1.sum), a.norm1.statistics, MatrixIn<B>(dx),
                                 gradient.norm1, d_sum);
      Convolution::template backward<B>(pass.context, w.conv, x, detail::dropped<B>(pass, site, d_sum, d_sublayer),
                                        gradient.conv, MatrixIn<B>(d_sum), dx, scratch);
    }
  }

  /// Elements of scratch memory that `backward` needs.
  static constexpr Index gradient_scratch(Index rows) {
    return 2 * aligned_size<float>(rows * C) + aligned_size<float>(rows * std::max(C, S.hidden)) +
           aligned_size<float>(0) + 64;
  }
};

}  // namespace ADTR_ABI
}  // namespace adtr

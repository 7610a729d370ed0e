/// The encoder layer of a transformer.
#pragma once

#include "adtr/nn/transformer.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// x₁ = norm1(x + attention(x + p, x + p, x)); y = norm2(x₁ + feed_forward(x₁)), where p is the positional embedding.
template <TransformerSpec S>
struct EncoderLayer {
  static constexpr Index C = S.channels;
  using SelfAttention = MultiHeadAttention<C, S.heads>;
  using Ffn = FeedForward<C, S.hidden>;
  using Norm = LayerNorm<C>;
  static constexpr Index dropout_sites = 4;
  static constexpr Index macs(Index tokens) { return SelfAttention::macs(tokens) + tokens * Ffn::macs_per_token; }

  template <class T>
  struct Parameters {
    typename SelfAttention::template Parameters<T> self_attn;
    typename Ffn::First::template Parameters<T> linear1;
    typename Ffn::Second::template Parameters<T> linear2;
    typename Norm::template Parameters<T> norm1, norm2;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("self_attn", self.self_attn);
      visit("linear1", self.linear1);
      visit("linear2", self.linear2);
      visit("norm1", self.norm1);
      visit("norm2", self.norm2);
    }
  };

  template <Backend B>
  struct Weights {
    typename SelfAttention::template Weights<B> self_attn;
    typename Ffn::First::template Weights<B> linear1;
    typename Ffn::Second::template Weights<B> linear2;
    typename Norm::template Weights<B> norm1, norm2;
  };

  template <Backend B>
  static void prepare(const typename B::Context& context, const Parameters<typename B::Scalar>& p, Mode mode,
                      Weights<B>& w) {
    SelfAttention::template prepare<B>(context, p.self_attn, mode, w.self_attn);
    Ffn::First::template prepare<B>(context, p.linear1, mode, w.linear1);
    Ffn::Second::template prepare<B>(context, p.linear2, mode, w.linear2);
    Norm::template prepare<B>(context, p.norm1, w.norm1);
    Norm::template prepare<B>(context, p.norm2, w.norm2);
  }

  template <class T>
  struct Activations {
    T* with_positions = nullptr;
    typename SelfAttention::template Activations<T> self_attn;
    detail::NormActivations<T> norm1, norm2;
    T* attended = nullptr;
    T* hidden = nullptr;
    constexpr Activations() = default;
    /// In inference, later activations reuse the memory of those no longer needed.
    constexpr Activations(Arena<T>& arena, Index rows, Mode mode)
        : norm1(arena, rows, C), attended(arena.take(rows * C)) {
      const bool keep = mode == Mode::training;
      norm2 = keep ? detail::NormActivations<T>(arena, rows, C) : norm1;
      const Index begin = arena.mark();
      with_positions = arena.take(rows * C);
      self_attn = {arena, rows, mode};
      const Index end = arena.mark();
      if (!keep) arena.release(begin);
      hidden = arena.take(rows * S.hidden);
      arena.skip_to(end);
    }
  };

  /// Computes y (rows, C) from x (rows, C); `site` is the layer's first dropout site.
  template <Backend B>
  static void forward(const Pass<B>& pass, const Weights<B>& w, Index site, const Activations<typename B::Scalar>& a,
                      MatrixIn<B> x, MatrixOut<B> y) {
    const auto rows = [&](auto* data, Index cols = C) { return MatrixOut<B>(data, x.rows, cols); };
    B::add_positions(pass.context, x, pass.positions, rows(a.with_positions));
    detail::add_sublayer(pass, site + 1, x, rows(a.norm1.sum), [&](MatrixIn<B> residual, MatrixOut<B> out) {
      SelfAttention::template forward<B>(pass.context, w.self_attn, {rows(a.with_positions), rows(a.with_positions), x},
                                         pass.tokens, pass.at(site), a.self_attn, residual, out);
    });
    Norm::template forward<B>(pass.context, w.norm1, rows(a.norm1.sum), rows(a.attended), a.norm1.statistics);
    detail::add_sublayer(pass, site + 3, MatrixIn<B>(rows(a.attended)), rows(a.norm2.sum),
                         [&](MatrixIn<B> residual, MatrixOut<B> out) {
                           Ffn::template forward<B>(pass.context, w.linear1, w.linear2, rows(a.attended),
                                                    pass.at(site + 2), rows(a.hidden, S.hidden), residual, out);
                         });
    Norm::template forward<B>(pass.context, w.norm2, rows(a.norm2.sum), y, a.norm2.statistics);
  }

  /// Computes dx from dy, which may be in the same memory. Adds to `gradient` and to d_positions (tokens, C).
  template <Backend B>
  static void backward(const Pass<B>& pass, const Weights<B>& w, Index site, const Activations<typename B::Scalar>& a,
                       MatrixIn<B> x, MatrixIn<B> dy, const Parameters<typename B::Scalar>& gradient, MatrixOut<B> dx,
                       MatrixOut<B> d_positions, Arena<typename B::Scalar> scratch) {
    const auto rows = [&](auto* data, Index cols = C) { return MatrixOut<B>(data, x.rows, cols); };
    const auto d_sum = rows(scratch.take(x.rows * C)), d_sublayer = rows(scratch.take(x.rows * C)),
               d_inner = rows(scratch.take(x.rows * C));
    Norm::template backward<B>(pass.context, w.norm2, rows(a.norm2.sum), a.norm2.statistics, dy, gradient.norm2, d_sum);
    Ffn::template backward<B>(pass.context, w.linear1, w.linear2, rows(a.attended), pass.at(site + 2),
                              rows(a.hidden, S.hidden), detail::dropped<B>(pass, site + 3, d_sum, d_sublayer),
                              gradient.linear1, gradient.linear2, d_sum, d_inner, scratch);
    Norm::template backward<B>(pass.context, w.norm1, rows(a.norm1.sum), a.norm1.statistics, d_inner, gradient.norm1,
                               d_sum);
    SelfAttention::template backward<B>(pass.context, w.self_attn, {rows(a.with_positions), rows(a.with_positions), x},
                                        pass.tokens, pass.at(site), a.self_attn,
                                        detail::dropped<B>(pass, site + 1, d_sum, d_sublayer), gradient.self_attn,
                                        {d_inner, d_inner, dx, {}, d_inner, d_sum}, scratch);
    B::accumulate_positions(pass.context, d_inner, d_positions);
    B::accumulate(pass.context, d_inner, dx);
  }
};

}  // namespace ADTR_ABI
}  // namespace adtr

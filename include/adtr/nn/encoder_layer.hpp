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
    ParametersOf<SelfAttention, T> self_attn;
    ParametersOf<Ffn, T> ffn;
    ParametersOf<Norm, T> norm1, norm2;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("self_attn", self.self_attn);
      visit("", self.ffn);
      visit("norm1", self.norm1);
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
      MatrixOut<B> with_positions;  ///< x + p
      MatrixOut<B> sum1, attended;  ///< input and output of norm1
      MatrixOut<B> sum2;            ///< input of norm2
      typename WeightsOf<SelfAttention, B>::Kept self_attn;
      typename WeightsOf<Ffn, B>::Kept ffn;
      typename WeightsOf<Norm, B>::Kept norm1, norm2;
    };
    WeightsOf<SelfAttention, B> self_attn;
    WeightsOf<Ffn, B> ffn;
    WeightsOf<Norm, B> norm1, norm2;

    void prepare(const Preparation<B>& how, const Parameters<T>& p) {
      self_attn.prepare(how, p.self_attn);
      ffn.prepare(how, p.ffn);
      norm1.prepare(how, p.norm1);
      norm2.prepare(how, p.norm2);
    }

    /// Computes y (rows, C) from x (rows, C).
    Kept forward(const Pass<B>& pass, In x, Out y, Arena<T>& arena) const {
      const auto scope = pass.activations(arena);
      Kept kept;
      kept.sum1 = take_rows(arena, x.rows, C);
      kept.attended = take_rows(arena, x.rows, C);
      {
        const auto attention_scope = pass.activations(arena);
        kept.with_positions = take_rows(arena, x.rows, C);
        B::add_positions(pass.context, x, pass.positions, kept.with_positions);
        kept.self_attn = detail::add_sublayer(pass, 1, x, kept.sum1, [&](MatrixOut<B> out, MatrixIn<B> residual) {
          return self_attn.forward(pass.from(0), {kept.with_positions, kept.with_positions, x}, out, arena, residual);
        });
      }
      kept.norm1 = norm1.forward(pass, kept.sum1, kept.attended, arena);
      kept.sum2 = pass.training() ? take_rows(arena, x.rows, C) : kept.sum1;
      kept.ffn = detail::add_sublayer(pass, 3, MatrixIn<B>(kept.attended), kept.sum2,
                                      [&](MatrixOut<B> out, MatrixIn<B> residual) {
                                        return ffn.forward(pass.from(2), kept.attended, out, arena, residual);
                                      });
      kept.norm2 = norm2.forward(pass, kept.sum2, y, arena);
      return kept;
    }

    /// Computes dx from dy, which may be in the same memory. Adds to `gradient` and to pass.positions_gradient.
    void backward(const Pass<B>& pass, In x, const Kept& kept, MatrixIn<B> dy, const Parameters<T>& gradient,
                  InGradient dx, Arena<T>& arena) const {
      const ArenaScope<T> scope(arena);
      const auto d_sum = take_rows(arena, x.rows, C), d_sublayer = take_rows(arena, x.rows, C),
                 d_inner = take_rows(arena, x.rows, C);
      norm2.backward(pass, kept.sum2, kept.norm2, dy, gradient.norm2, d_sum, arena);
      ffn.backward(pass.from(2), kept.attended, kept.ffn, detail::dropped<B>(pass, 3, d_sum, d_sublayer), gradient.ffn,
                   d_inner, arena, d_sum);
      norm1.backward(pass, kept.sum1, kept.norm1, d_inner, gradient.norm1, d_sum, arena);
      self_attn.backward(pass.from(0), {kept.with_positions, kept.with_positions, x}, kept.self_attn,
                         detail::dropped<B>(pass, 1, d_sum, d_sublayer), gradient.self_attn,
                         {d_inner, d_inner, dx, {}, d_inner, d_sum}, arena);
      B::accumulate_positions(pass.context, d_inner, pass.positions_gradient);
      B::accumulate(pass.context, d_inner, dx);
    }
  };
};
static_assert(TrainableLayer<EncoderLayer<TransformerSpec{}>>, "EncoderLayer must be a TrainableLayer");

}  // namespace ADTR_ABI
}  // namespace adtr

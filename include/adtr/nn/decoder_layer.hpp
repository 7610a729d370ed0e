/// The decoder layer of a transformer.
#pragma once

#include "adtr/nn/transformer.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// t₁ = norm1(t + attention(t + p, t + p, t)); t₂ = norm2(t₁ + attention(t₁ + p, m + p, m)); y = norm3(t₂ +
/// feed_forward(t₂)), where m is the encoder's memory and p the positional embedding.
template <TransformerSpec S>
struct DecoderLayer {
  static constexpr Index C = S.channels;
  using Attend = MultiHeadAttention<C, S.heads>;
  using Ffn = FeedForward<C, S.hidden>;
  using Norm = LayerNorm<C>;
  static constexpr Index dropout_sites = 6;
  static constexpr Index macs(Index tokens) { return 2 * Attend::macs(tokens) + tokens * Ffn::macs_per_token; }

  template <class T>
  struct Parameters {
    ParametersOf<Attend, T> self_attn, multihead_attn;
    ParametersOf<Ffn, T> ffn;
    ParametersOf<Norm, T> norm1, norm2, norm3;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("self_attn", self.self_attn);
      visit("multihead_attn", self.multihead_attn);
      visit("", self.ffn);
      visit("norm1", self.norm1);
      visit("norm2", self.norm2);
      visit("norm3", self.norm3);
    }
  };

  template <Backend B>
  struct Weights {
    using T = typename B::Scalar;
    /// The encoder's output m as value, and m + p as key, the same for every layer.
    struct Memory {
      MatrixIn<B> value, key;
    };
    struct In {
      MatrixIn<B> target;
      Memory memory;
    };
    using Out = MatrixOut<B>;
    struct InGradient {
      MatrixOut<B> target;  ///< written
      MatrixOut<B> memory;  ///< added to: every decoder layer reads the same memory
    };
    /// What attend_to_target() keeps.
    struct TargetKept {
      MatrixOut<B> with_positions, sum;  ///< t + p, and the input of norm1
      typename WeightsOf<Attend, B>::Kept attention;
      typename WeightsOf<Norm, B>::Kept norm;
    };
    /// What attend_to_memory() keeps.
    struct MemoryKept {
      MatrixOut<B> sum2, second, sum3;  ///< input and output (t₂) of norm2, and the input of norm3
      typename WeightsOf<Attend, B>::Kept attention;
      typename WeightsOf<Ffn, B>::Kept ffn;
      typename WeightsOf<Norm, B>::Kept norm2, norm3;
    };
    struct Kept {
      MatrixOut<B> first, query;  ///< t₁ and t₁ + p
      TargetKept target;
      MemoryKept memory;
    };
    WeightsOf<Attend, B> self_attn, multihead_attn;
    WeightsOf<Ffn, B> ffn;
    WeightsOf<Norm, B> norm1, norm2, norm3;

    void prepare(const Preparation<B>& how, const Parameters<T>& p) {
      prepare_target(how, p);
      prepare_memory(0, how, p);
    }
    /// Prepares what attend_to_target() needs.
    void prepare_target(const Preparation<B>& how, const Parameters<T>& p) {
      self_attn.prepare(how, p.self_attn);
      norm1.prepare(how, p.norm1);
    }
    /// Prepares what attend_to_memory() needs; `first` = 1 if the queries are given already projected.
    void prepare_memory(Index first, const Preparation<B>& how, const Parameters<T>& p) {
      multihead_attn.prepare_from(first, how, p.multihead_attn);
      ffn.prepare(how, p.ffn);
      norm2.prepare(how, p.norm2);
      norm3.prepare(how, p.norm3);
    }

    /// Computes y (rows, C) from the target t (rows, C) and the memory.
    Kept forward(const Pass<B>& pass, const In& in, Out y, Arena<T>& arena) const {
      const auto scope = pass.activations(arena);
      Kept kept;
      kept.first = take_rows(arena, y.rows, C);
      kept.query = take_rows(arena, y.rows, C);
      kept.target = attend_to_target(pass, in.target, kept.first, kept.query, arena);
      kept.memory = attend_to_memory(pass, kept.first, {kept.query, in.memory.key, in.memory.value}, y, arena);
      return kept;
    }

    /// The first third of the layer: writes t₁ and t₁ + p, like t (rows, C).
    TargetKept attend_to_target(const Pass<B>& pass, MatrixIn<B> t, MatrixOut<B> first, MatrixOut<B> query,
                                Arena<T>& arena) const {
      const auto scope = pass.activations(arena);
      TargetKept kept;
      kept.with_positions = take_rows(arena, t.rows, C);
      kept.sum = take_rows(arena, t.rows, C);
      B::add_positions(pass.context, t, pass.positions, kept.with_positions);
      kept.attention = detail::add_sublayer(pass, 1, t, kept.sum, [&](MatrixOut<B> out, MatrixIn<B> residual) {
        return self_attn.forward(pass.from(0), {kept.with_positions, kept.with_positions, t}, out, arena, residual);
      });
      kept.norm = norm1.forward(pass, kept.sum, first, arena);
      B::add_positions(pass.context, first, pass.positions, query);
      return kept;
    }

    /// The rest: y from t₁ and the attention of t₁ + p to the memory, whose inputs are `in`.
    MemoryKept attend_to_memory(const Pass<B>& pass, MatrixIn<B> first, const typename WeightsOf<Attend, B>::In& in,
                                Out y, Arena<T>& arena) const {
      const auto scope = pass.activations(arena);
      MemoryKept kept;
      kept.sum2 = take_rows(arena, y.rows, C);
      kept.second = take_rows(arena, y.rows, C);
      kept.attention = detail::add_sublayer(pass, 3, first, kept.sum2, [&](MatrixOut<B> out, MatrixIn<B> residual) {
        return multihead_attn.forward(pass.from(2), in, out, arena, residual);
      });
      kept.norm2 = norm2.forward(pass, kept.sum2, kept.second, arena);
      kept.sum3 = pass.training() ? take_rows(arena, y.rows, C) : kept.sum2;
      kept.ffn = detail::add_sublayer(pass, 5, MatrixIn<B>(kept.second), kept.sum3,
                                      [&](MatrixOut<B> out, MatrixIn<B> residual) {
                                        return ffn.forward(pass.from(4), kept.second, out, arena, residual);
                                      });
      kept.norm3 = norm3.forward(pass, kept.sum3, y, arena);
      return kept;
    }

    /// Computes the target's gradient from dy, which may be in the same memory. Adds to `gradient`, to dx.memory and to
    /// pass.positions_gradient.
    void backward(const Pass<B>& pass, const In& in, const Kept& kept, MatrixIn<B> dy, const Parameters<T>& gradient,
                  const InGradient& dx, Arena<T>& arena) const {
      const ArenaScope<T> scope(arena);
      const auto d_first = take_rows(arena, dy.rows, C);
      memory_backward(pass, {kept.query, in.memory.key, in.memory.value}, kept.memory, dy, gradient, d_first, dx.memory,
                      arena);
      target_backward(pass, in.target, kept.target, d_first, gradient, dx.target, arena);
    }

    /// Backward pass of attend_to_memory(): writes the gradient of t₁, including the path through t₁ + p.
    void memory_backward(const Pass<B>& pass, const typename WeightsOf<Attend, B>::In& in, const MemoryKept& kept,
                         MatrixIn<B> dy, const Parameters<T>& gradient, MatrixOut<B> d_first, MatrixOut<B> d_memory,
                         Arena<T>& arena) const {
      const ArenaScope<T> scope(arena);
      const auto d_sublayer = take_rows(arena, dy.rows, C), d_query = take_rows(arena, dy.rows, C),
                 d_key = take_rows(arena, dy.rows, C);
      norm3.backward(pass, kept.sum3, kept.norm3, dy, gradient.norm3, d_first, arena);
      ffn.backward(pass.from(4), kept.second, kept.ffn, detail::dropped<B>(pass, 5, d_first, d_sublayer), gradient.ffn,
                   d_query, arena, d_first);
      norm2.backward(pass, kept.sum2, kept.norm2, d_query, gradient.norm2, d_first, arena);
      multihead_attn.backward(pass.from(2), in, kept.attention, detail::dropped<B>(pass, 3, d_first, d_sublayer),
                              gradient.multihead_attn, {d_query, d_key, d_memory, {}, {}, d_memory}, arena);
      B::accumulate_positions(pass.context, d_key, pass.positions_gradient);
      B::accumulate(pass.context, d_key, d_memory);
      B::accumulate_positions(pass.context, d_query, pass.positions_gradient);
      B::accumulate(pass.context, d_query, d_first);
    }

    /// Backward pass of attend_to_target(): writes dt from the gradient of t₁.
    void target_backward(const Pass<B>& pass, MatrixIn<B> t, const TargetKept& kept, MatrixIn<B> d_first,
                         const Parameters<T>& gradient, MatrixOut<B> dt, Arena<T>& arena) const {
      const ArenaScope<T> scope(arena);
      const auto d_sum = take_rows(arena, t.rows, C), d_sublayer = take_rows(arena, t.rows, C),
                 d_key = take_rows(arena, t.rows, C);
      norm1.backward(pass, kept.sum, kept.norm, d_first, gradient.norm1, d_sum, arena);
      self_attn.backward(pass.from(0), {kept.with_positions, kept.with_positions, t}, kept.attention,
                         detail::dropped<B>(pass, 1, d_sum, d_sublayer), gradient.self_attn,
                         {d_key, d_key, dt, {}, d_key, d_sum}, arena);
      B::accumulate_positions(pass.context, d_key, pass.positions_gradient);
      B::accumulate(pass.context, d_key, dt);
    }
  };
};
static_assert(TrainableLayer<DecoderLayer<TransformerSpec{}>>, "DecoderLayer must be a TrainableLayer");

}  // namespace ADTR_ABI
}  // namespace adtr

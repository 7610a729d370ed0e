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
    typename Attend::template Parameters<T> self_attn, multihead_attn;
    typename Ffn::First::template Parameters<T> linear1;
    typename Ffn::Second::template Parameters<T> linear2;
    typename Norm::template Parameters<T> norm1, norm2, norm3;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("self_attn", self.self_attn);
      visit("multihead_attn", self.multihead_attn);
      visit("linear1", self.linear1);
      visit("linear2", self.linear2);
      visit("norm1", self.norm1);
      visit("norm2", self.norm2);
      visit("norm3", self.norm3);
    }
  };

  template <Backend B>
  struct Weights {
    typename Attend::template Weights<B> self_attn, multihead_attn;
    typename Ffn::First::template Weights<B> linear1;
    typename Ffn::Second::template Weights<B> linear2;
    typename Norm::template Weights<B> norm1, norm2, norm3;
  };

  template <Backend B>
  static void prepare(const typename B::Context& context, const Parameters<typename B::Scalar>& p, Mode mode,
                      Weights<B>& w) {
    prepare_target<B>(context, p, mode, w);
    prepare_memory<B>(context, p, mode, w);
  }
  /// Prepares what attend_to_target() needs.
  template <Backend B>
  static void prepare_target(const typename B::Context& context, const Parameters<typename B::Scalar>& p, Mode mode,
                             Weights<B>& w) {
    Attend::template prepare<B>(context, p.self_attn, mode, w.self_attn);
    Norm::template prepare<B>(context, p.norm1, w.norm1);
  }
  /// Prepares what attend_to_memory() needs; `first` = 1 if the queries are given already projected.
  template <Backend B>
  static void prepare_memory(const typename B::Context& context, const Parameters<typename B::Scalar>& p, Mode mode,
                             Weights<B>& w, Index first = 0) {
    Attend::template prepare<B>(context, p.multihead_attn, mode, w.multihead_attn, first);
    Ffn::First::template prepare<B>(context, p.linear1, mode, w.linear1);
    Ffn::Second::template prepare<B>(context, p.linear2, mode, w.linear2);
    Norm::template prepare<B>(context, p.norm2, w.norm2);
    Norm::template prepare<B>(context, p.norm3, w.norm3);
  }

  template <class T>
  struct Activations {
    T *target_positions = nullptr, *query_positions = nullptr;  ///< t + p and t₁ + p
    typename Attend::template Activations<T> self_attn, multihead_attn;
    detail::NormActivations<T> norm1, norm2, norm3;
    T *first = nullptr, *second = nullptr;  ///< t₁ and t₂
    T* hidden = nullptr;
    constexpr Activations() = default;
    /// In inference, later activations reuse the memory of those no longer needed.
    constexpr Activations(Arena<T>& arena, Index rows, Mode mode)
        : target_positions(arena.take(rows * C)),
          norm1(arena, rows, C),
          first(arena.take(rows * C)),
          second(arena.take(rows * C)) {
      const bool keep = mode == Mode::training;
      query_positions = keep ? arena.take(rows * C) : target_positions;
      norm2 = keep ? detail::NormActivations<T>(arena, rows, C) : norm1;
      norm3 = keep ? detail::NormActivations<T>(arena, rows, C) : norm1;
      const Index begin = arena.mark();
      self_attn = {arena, rows, mode};
      const Index end = arena.mark();
      multihead_attn = keep ? typename Attend::template Activations<T>(arena, rows, mode) : self_attn;
      if (!keep) arena.release(begin);
      hidden = arena.take(rows * S.hidden);
      arena.skip_to(end);
    }
  };

  /// The encoder's output m as value, and m + p as key, the same for every layer.
  template <class T>
  struct Memory {
    MatrixView<const T> value, key;
  };

  /// Computes y (rows, C) from the target t (rows, C).
  template <Backend B>
  static void forward(const Pass<B>& pass, const Weights<B>& w, Index site, const Activations<typename B::Scalar>& a,
                      MatrixIn<B> t, const Memory<typename B::Scalar>& memory, MatrixOut<B> y) {
    attend_to_target<B>(pass, w, site, a, t);
    attend_to_memory<B>(pass, w, site, a, MatrixIn<B>(a.query_positions, t.rows, C), memory, y);
  }

  /// Computes the first third of the layer: t₁ and t₁ + p, in the activations.
  template <Backend B>
  static void attend_to_target(const Pass<B>& pass, const Weights<B>& w, Index site,
                               const Activations<typename B::Scalar>& a, MatrixIn<B> t) {
    const auto rows = [&](auto* data) { return MatrixOut<B>(data, t.rows, C); };
    B::add_positions(pass.context, t, pass.positions, rows(a.target_positions));
    detail::add_sublayer(pass, site + 1, t, rows(a.norm1.sum), [&](MatrixIn<B> residual, MatrixOut<B> out) {
      Attend::template forward<B>(pass.context, w.self_attn, {rows(a.target_positions), rows(a.target_positions), t},
                                  pass.tokens, pass.at(site), a.self_attn, residual, out);
    });
    Norm::template forward<B>(pass.context, w.norm1, rows(a.norm1.sum), rows(a.first), a.norm1.statistics);
    B::add_positions(pass.context, MatrixIn<B>(rows(a.first)), pass.positions, rows(a.query_positions));
  }

  /// Computes the rest: y from t₁ and `query` = t₁ + p. If `query` has no data, its projection must already be in the
  /// activations.
  template <Backend B>
  static void attend_to_memory(const Pass<B>& pass, const Weights<B>& w, Index site,
                               const Activations<typename B::Scalar>& a, MatrixIn<B> query,
                               const Memory<typename B::Scalar>& memory, MatrixOut<B> y) {
    const auto rows = [&](auto* data, Index cols = C) { return MatrixOut<B>(data, y.rows, cols); };
    detail::add_sublayer(
        pass, site + 3, MatrixIn<B>(rows(a.first)), rows(a.norm2.sum), [&](MatrixIn<B> residual, MatrixOut<B> out) {
          Attend::template forward<B>(pass.context, w.multihead_attn, {query, memory.key, memory.value}, pass.tokens,
                                      pass.at(site + 2), a.multihead_attn, residual, out);
        });
    Norm::template forward<B>(pass.context, w.norm2, rows(a.norm2.sum), rows(a.second), a.norm2.statistics);
    detail::add_sublayer(pass, site + 5, MatrixIn<B>(rows(a.second)), rows(a.norm3.sum),
                         [&](MatrixIn<B> residual, MatrixOut<B> out) {
                           Ffn::template forward<B>(pass.context, w.linear1, w.linear2, rows(a.second),
                                                    pass.at(site + 4), rows(a.hidden, S.hidden), residual, out);
                         });
    Norm::template forward<B>(pass.context, w.norm3, rows(a.norm3.sum), y, a.norm3.statistics);
  }

  /// Computes dt from dy, which may be in the same memory. Adds to `gradient`, d_positions and d_memory.
  template <Backend B>
  static void backward(const Pass<B>& pass, const Weights<B>& w, Index site, const Activations<typename B::Scalar>& a,
                       MatrixIn<B> t, const Memory<typename B::Scalar>& memory, MatrixIn<B> dy,
                       const Parameters<typename B::Scalar>& gradient, MatrixOut<B> dt, MatrixOut<B> d_memory,
                       MatrixOut<B> d_positions, Arena<typename B::Scalar> scratch) {
    const MatrixOut<B> d_first(scratch.take(t.rows * C), t.rows, C);
    memory_backward<B>(pass, w, site, a, memory, dy, gradient, d_first, d_memory, d_positions, scratch);
    target_backward<B>(pass, w, site, a, t, d_first, gradient, dt, d_positions, scratch);
  }

  /// Backward pass of attend_to_memory(): computes the gradient of t₁, including the path through t₁ + p.
  template <Backend B>
  static void memory_backward(const Pass<B>& pass, const Weights<B>& w, Index site,
                              const Activations<typename B::Scalar>& a, const Memory<typename B::Scalar>& memory,
                              MatrixIn<B> dy, const Parameters<typename B::Scalar>& gradient, MatrixOut<B> d_first,
                              MatrixOut<B> d_memory, MatrixOut<B> d_positions, Arena<typename B::Scalar> scratch) {
    const auto rows = [&](auto* data, Index cols = C) { return MatrixOut<B>(data, dy.rows, cols); };
    const auto d_sublayer = rows(scratch.take(dy.rows * C)), d_query = rows(scratch.take(dy.rows * C)),
               d_key = rows(scratch.take(dy.rows * C));
    Norm::template backward<B>(pass.context, w.norm3, rows(a.norm3.sum), a.norm3.statistics, dy, gradient.norm3,
                               d_first);
    Ffn::template backward<B>(pass.context, w.linear1, w.linear2, rows(a.second), pass.at(site + 4),
                              rows(a.hidden, S.hidden), detail::dropped<B>(pass, site + 5, d_first, d_sublayer),
                              gradient.linear1, gradient.linear2, d_first, d_query, scratch);
    Norm::template backward<B>(pass.context, w.norm2, rows(a.norm2.sum), a.norm2.statistics, d_query, gradient.norm2,
                               d_first);
    Attend::template backward<B>(pass.context, w.multihead_attn, {rows(a.query_positions), memory.key, memory.value},
                                 pass.tokens, pass.at(site + 2), a.multihead_attn,
                                 detail::dropped<B>(pass, site + 3, d_first, d_sublayer), gradient.multihead_attn,
                                 {d_query, d_key, d_memory, {}, {}, d_memory}, scratch);
    B::accumulate_positions(pass.context, d_key, d_positions);
    B::accumulate(pass.context, d_key, d_memory);
    B::accumulate_positions(pass.context, d_query, d_positions);
    B::accumulate(pass.context, d_query, d_first);
  }

  /// Backward pass of attend_to_target(): computes dt from the gradient of t₁.
  template <Backend B>
  static void target_backward(const Pass<B>& pass, const Weights<B>& w, Index site,
                              const Activations<typename B::Scalar>& a, MatrixIn<B> t, MatrixIn<B> d_first,
                              const Parameters<typename B::Scalar>& gradient, MatrixOut<B> dt, MatrixOut<B> d_positions,
                              Arena<typename B::Scalar> scratch) {
    const auto rows = [&](auto* data) { return MatrixOut<B>(data, t.rows, C); };
    const auto d_sum = rows(scratch.take(t.rows * C)), d_sublayer = rows(scratch.take(t.rows * C)),
               d_key = rows(scratch.take(t.rows * C));
    Norm::template backward<B>(pass.context, w.norm1, rows(a.norm1.sum), a.norm1.statistics, d_first, gradient.norm1,
                               d_sum);
    Attend::template backward<B>(pass.context, w.self_attn, {rows(a.target_positions), rows(a.target_positions), t},
                                 pass.tokens, pass.at(site), a.self_attn,
                                 detail::dropped<B>(pass, site + 1, d_sum, d_sublayer), gradient.self_attn,
                                 {d_key, d_key, dt, {}, d_key, d_sum}, scratch);
    B::accumulate_positions(pass.context, d_key, d_positions);
    B::accumulate(pass.context, d_key, dt);
  }
};

}  // namespace ADTR_ABI
}  // namespace adtr

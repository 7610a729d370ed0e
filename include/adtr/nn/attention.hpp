/// Multi-head attention with its projections (Vaswani et al., 2017) in PyTorch's parameter layout, and its gradient.
#pragma once

#include "adtr/nn/linear.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Multi-head attention of queries to the same number of keys and values, `Channels` wide, with `Heads` heads.
template <Index Channels, Index Heads>
struct MultiHeadAttention {
  static_assert(Channels % Heads == 0, "MultiHeadAttention: the heads share the channels evenly");
  using Projection = Linear<Channels, Channels>;
  static constexpr Index macs(Index tokens) {
    return tokens * 4 * Projection::macs_per_token + 2 * tokens * tokens * Channels;
  }

  template <class T>
  struct Parameters {
    T* in_proj_weight = nullptr;  ///< rows: queries, keys, values
    T* in_proj_bias = nullptr;
    ParametersOf<Projection, T> out_proj;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("in_proj_weight", self.in_proj_weight, Shape{3 * Channels, Channels});
      visit("in_proj_bias", self.in_proj_bias, Shape{3 * Channels});
      visit("out_proj", self.out_proj);
    }
    /// Returns the projection of queries (0), keys (1) or values (2) as a linear layer.
    [[nodiscard]] ParametersOf<Projection, T> projection(Index which) const {
      return {in_proj_weight + which * Channels * Channels, in_proj_bias + which * Channels};
    }
  };

  template <Backend B>
  struct Weights {
    using T = typename B::Scalar;
    /// The three inputs (rows, Channels); in self-attention query and key include the positions, value does not.
    struct In {
      MatrixIn<B> query, key, value;
      /// Projected queries (tokens, Channels) that all images share. If given, `query` is not read.
      const T* projected_query = nullptr;
    };
    using Out = MatrixOut<B>;
    /// Where backward() writes the gradients of the inputs, each plus its residual. If query and key are the same view,
    /// and key_residual is too, that view gets the sum of both gradients.
    struct InGradient {
      MatrixOut<B> query, key, value;
      MatrixIn<B> query_residual{}, key_residual{}, value_residual{};
    };
    struct Kept {
      MatrixOut<B> projected;    ///< (rows, 3·Channels): queries, keys, values
      MatrixOut<B> attended;     ///< (rows, Channels): attended values of all heads
      T* log_sum_exp = nullptr;  ///< (rows, Heads); null in inference
    };
    std::array<WeightsOf<Projection, B>, 3> projections;
    WeightsOf<Projection, B> out;

    void prepare(const Preparation<B>& how, const Parameters<T>& p) { prepare_from(0, how, p); }
    /// Prepares the projections from number `first` on, and the output projection.
    void prepare_from(Index first, const Preparation<B>& how, const Parameters<T>& p) {
      for (Index i = first; i < 3; ++i) projections[static_cast<std::size_t>(i)].prepare(how, p.projection(i));
      out.prepare(how, p.out_proj);
    }

    /// y = attention(x)·Woᵀ + b + residual; the dropout is that of the attention weights.
    Kept forward(const Pass<B>& pass, const In& x, Out y, Arena<T>& arena, MatrixIn<B> residual = {}) const {
      const auto scope = pass.activations(arena);
      const Kept kept{take_rows(arena, y.rows, 3 * Channels), take_rows(arena, y.rows, Channels),
                      pass.training() ? arena.take(y.rows * Heads) : nullptr};
      if (x.projected_query == nullptr)
        projections[0].forward(pass, x.query, part(kept.projected, 0), arena);
      else
        repeat<B>(pass.context, MatrixIn<B>(x.projected_query, pass.tokens, Channels), part(kept.projected, 0));
      projections[1].forward(pass, x.key, part(kept.projected, 1), arena);
      projections[2].forward(pass, x.value, part(kept.projected, 2), arena);
      B::attention(pass.context, call(pass, kept));
      out.forward(pass, kept.attended, y, arena, residual);
      return kept;
    }

    /// Not for a forward pass with projected_query.
    void backward(const Pass<B>& pass, const In& x, const Kept& kept, MatrixIn<B> dy, const Parameters<T>& gradient,
                  const InGradient& dx, Arena<T>& arena) const {
      const ArenaScope<T> scope(arena);
      const auto d_attended = take_rows(arena, dy.rows, Channels),
                 d_projected = take_rows(arena, dy.rows, 3 * Channels);
      const auto d = [&](Index i) { return part(d_projected, i); };
      out.backward(pass, kept.attended, {}, dy, gradient.out_proj, d_attended, arena);
      B::attention_backward(pass.context, call(pass, kept), AttentionGradient<T>{d_attended, d(0), d(1), d(2)});
      projections[0].backward(pass, x.query, {}, d(0), gradient.projection(0), dx.query, arena, dx.query_residual);
      projections[1].backward(pass, x.key, {}, d(1), gradient.projection(1), dx.key, arena, dx.key_residual);
      projections[2].backward(pass, x.value, {}, d(2), gradient.projection(2), dx.value, arena, dx.value_residual);
    }

   private:
    /// Columns of the queries (0), keys (1) or values (2).
    static MatrixOut<B> part(MatrixOut<B> projected, Index which) {
      return projected.columns(which * Channels, Channels);
    }
    static Attention<T> call(const Pass<B>& pass, const Kept& kept) {
      return {.batch = kept.attended.rows / pass.tokens,
              .tokens = pass.tokens,
              .heads = Heads,
              .query = part(kept.projected, 0),
              .key = part(kept.projected, 1),
              .value = part(kept.projected, 2),
              .out = kept.attended,
              .log_sum_exp = kept.log_sum_exp,
              .dropout = pass.dropout};
    }
  };
};
static_assert(TrainableLayer<MultiHeadAttention<8, 2>>, "MultiHeadAttention must be a TrainableLayer");

}  // namespace ADTR_ABI
}  // namespace adtr

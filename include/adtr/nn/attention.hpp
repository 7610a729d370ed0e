/// Multi-head attention with its projections (Vaswani et al., 2017) in PyTorch's parameter layout, and its gradient.
#pragma once

#include "adtr/nn/linear.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Multi-head attention of queries to the same number of keys and values, `Channels` wide, with `Heads` heads.
template <Index Channels, Index Heads>
struct MultiHeadAttention {
  static_assert(Channels % Heads == 0, "MultiHeadAttention: the heads share the channels evenly");
  using Out = Linear<Channels, Channels>;

  template <class T>
  struct Parameters {
    T* in_proj_weight = nullptr;  ///< rows: queries, keys, values
    T* in_proj_bias = nullptr;
    typename Out::template Parameters<T> out_proj;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("in_proj_weight", self.in_proj_weight, Shape{3 * Channels, Channels});
      visit("in_proj_bias", self.in_proj_bias, Shape{3 * Channels});
      visit("out_proj", self.out_proj);
    }
    /// Returns the projection of queries (0), keys (1) or values (2) as a linear layer.
    [[nodiscard]] typename Out::template Parameters<T> projection(Index which) const {
      return {in_proj_weight + which * Channels * Channels, in_proj_bias + which * Channels};
    }
  };

  template <Backend B>
  struct Weights {
    std::array<typename Out::template Weights<B>, 3> projections;
    typename Out::template Weights<B> out;
  };

  /// Prepares the projections from index `first` on, and the output projection.
  template <Backend B>
  static void prepare(const typename B::Context& context, const Parameters<typename B::Scalar>& p, Mode mode,
                      Weights<B>& w, Index first = 0) {
    for (Index i = first; i < 3; ++i)
      Out::template prepare<B>(context, p.projection(i), mode, w.projections[static_cast<std::size_t>(i)]);
    Out::template prepare<B>(context, p.out_proj, mode, w.out);
  }

  /// Results of the forward pass that the backward pass needs: projections (rows, 3C), attended values of all heads
  /// (rows, C), log-sum-exps (rows, Heads).
  template <class T>
  struct Activations {
    T* projected = nullptr;
    T* attended = nullptr;
    T* log_sum_exp = nullptr;
    constexpr Activations() = default;
    constexpr Activations(Arena<T>& arena, Index rows, Mode mode)
        : projected(arena.take(rows * 3 * Channels)),
          attended(arena.take(rows * Channels)),
          log_sum_exp(mode == Mode::training ? arena.take(rows * Heads) : nullptr) {}
  };

  /// The three inputs; in self-attention query and key include the positions, value does not.
  template <class T>
  struct Inputs {
    MatrixView<const T> query, key, value;
  };

  /// Returns the projected queries (0), keys (1) or values (2) of `rows` tokens.
  template <class T>
  [[nodiscard]] static MatrixView<T> projected(const Activations<T>& a, Index rows, Index which) {
    return MatrixView<T>(a.projected, rows, 3 * Channels).columns(which * Channels, Channels);
  }

  /// y = attention(inputs)·Woᵀ + b + residual. An input without data is skipped: its projection must already be in the
  /// activations.
  template <Backend B>
  static void forward(const typename B::Context& context, const Weights<B>& w, const Inputs<typename B::Scalar>& in,
                      Index tokens, const Dropout& dropout, const Activations<typename B::Scalar>& a,
                      MatrixIn<B> residual, MatrixOut<B> y) {
    const std::array inputs{in.query, in.key, in.value};
    for (std::size_t i = 0; i < 3; ++i)
      if (inputs[i].data != nullptr)
        Out::template forward<B>(context, w.projections[i], inputs[i], projected(a, y.rows, static_cast<Index>(i)));
    B::attention(context, call(a, y.rows, tokens, dropout));
    Out::template forward<B>(context, w.out, MatrixIn<B>(a.attended, y.rows, Channels), y, residual);
  }

  /// Where backward() writes the gradients of the inputs, each plus its residual; it adds to `gradient`. If query and
  /// key are the same view, and key_residual is too, that view gets the sum of both gradients.
  template <class T>
  struct InputGradients {
    MatrixView<T> query, key, value;
    MatrixView<const T> query_residual{}, key_residual{}, value_residual{};
  };
  template <Backend B>
  static void backward(const typename B::Context& context, const Weights<B>& w, const Inputs<typename B::Scalar>& in,
                       Index tokens, const Dropout& dropout, const Activations<typename B::Scalar>& a, MatrixIn<B> dy,
                       const Parameters<typename B::Scalar>& gradient, const InputGradients<typename B::Scalar>& d,
                       Arena<typename B::Scalar> scratch) {
    using T = typename B::Scalar;
    const Index rows = in.query.rows;
    const MatrixOut<B> d_attended(scratch.take(rows * Channels), rows, Channels);
    const MatrixOut<B> d_projected(scratch.take(rows * 3 * Channels), rows, 3 * Channels);
    Out::template backward<B>(context, w.out, MatrixIn<B>(a.attended, rows, Channels), dy, gradient.out_proj,
                              d_attended);
    const auto part = [&](Index i) { return d_projected.columns(i * Channels, Channels); };
    B::attention_backward(context, call(a, rows, tokens, dropout),
                          AttentionGradient<T>{d_attended, part(0), part(1), part(2)});
    Out::template backward<B>(context, w.projections[0], in.query, MatrixIn<B>(part(0)), gradient.projection(0),
                              d.query, d.query_residual);
    Out::template backward<B>(context, w.projections[1], in.key, MatrixIn<B>(part(1)), gradient.projection(1), d.key,
                              d.key_residual);
    Out::template backward<B>(context, w.projections[2], in.value, MatrixIn<B>(part(2)), gradient.projection(2),
                              d.value, d.value_residual);
  }

  static constexpr Index backward_scratch(Index rows) {
    return aligned_size<float>(rows * Channels) + aligned_size<float>(rows * 3 * Channels);
  }

  static constexpr Index macs(Index tokens) {
    return tokens * 4 * Out::macs_per_token + 2 * tokens * tokens * Channels;
  }

 private:
  template <class T>
  static Attention<T> call(const Activations<T>& a, Index rows, Index tokens, const Dropout& dropout) {
    return {rows / tokens,
            tokens,
            Heads,
            projected(a, rows, 0),
            projected(a, rows, 1),
            projected(a, rows, 2),
            MatrixView<T>(a.attended, rows, Channels),
            a.log_sum_exp,
            dropout};
  }
};

}  // namespace ADTR_ABI
}  // namespace adtr

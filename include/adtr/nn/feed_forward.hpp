/// The feed-forward part of a transformer layer, with its gradient.
#pragma once

#include "adtr/nn/linear.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// y = dropout(relu(x·W₁ᵀ + b₁))·W₂ᵀ + b₂ + residual, with `Hidden` channels in between. The names in files are
/// PyTorch's, where both linear layers are members of the transformer layer.
template <Index Channels, Index Hidden>
struct FeedForward {
  using First = Linear<Channels, Hidden>;
  using Second = Linear<Hidden, Channels>;
  static constexpr Index macs_per_token = First::macs_per_token + Second::macs_per_token;
  static constexpr Index dropout_sites = 1;

  template <class T>
  struct Parameters {
    ParametersOf<First, T> linear1;
    ParametersOf<Second, T> linear2;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("linear1", self.linear1);
      visit("linear2", self.linear2);
    }
  };

  template <Backend B>
  struct Weights {
    using T = typename B::Scalar;
    using In = MatrixIn<B>;
    using Out = MatrixOut<B>;
    using InGradient = MatrixOut<B>;
    struct Kept {
      MatrixOut<B> hidden;  ///< (rows, Hidden)
    };
    WeightsOf<First, B> first;
    WeightsOf<Second, B> second;

    void prepare(const Preparation<B>& how, const Parameters<T>& p) {
      first.prepare(how, p.linear1);
      second.prepare(how, p.linear2);
    }

    Kept forward(const Pass<B>& pass, In x, Out y, Arena<T>& arena, MatrixIn<B> residual = {}) const {
      const auto scope = pass.activations(arena);
      const auto hidden = take_rows(arena, x.rows, Hidden);
      first.forward(pass, x, hidden, arena, {}, Activation::relu);
      if (pass.dropout.active()) B::dropout(pass.context, MatrixIn<B>(hidden), pass.dropout, MatrixIn<B>{}, hidden);
      second.forward(pass, hidden, y, arena, residual);
      return {hidden};
    }

    /// dx = gradient of the input + residual. A hidden value is positive exactly where ReLU passed it and dropout kept
    /// it, so the hidden values serve as the mask.
    void backward(const Pass<B>& pass, In x, const Kept& kept, MatrixIn<B> dy, const Parameters<T>& gradient,
                  InGradient dx, Arena<T>& arena, MatrixIn<B> residual = {}) const {
      const ArenaScope<T> scope(arena);
      const auto d_hidden = take_rows(arena, x.rows, Hidden);
      second.backward(pass, kept.hidden, {}, dy, gradient.linear2, d_hidden, arena);
      const float rate = pass.dropout.rate;
      const T scale = pass.dropout.active() ? static_cast<T>(1.0 / (1.0 - static_cast<double>(rate))) : T{1};
      B::relu_backward(pass.context, kept.hidden, scale, d_hidden);
      first.backward(pass, x, {}, d_hidden, gradient.linear1, dx, arena, residual);
    }
  };
};
static_assert(TrainableLayer<FeedForward<4, 8>>, "FeedForward must be a TrainableLayer");

}  // namespace ADTR_ABI
}  // namespace adtr

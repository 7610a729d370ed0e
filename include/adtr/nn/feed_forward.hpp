/// The feed-forward part of a transformer layer, with its gradient.
#pragma once

#include "adtr/nn/linear.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// y = dropout(relu(x·W₁ᵀ + b₁))·W₂ᵀ + b₂ + residual, with `Hidden` channels in between. This layer has no parameter
/// list: the two linear layers are members of the transformer layer's list, with PyTorch's names (`linear1`,
/// `linear2`).
template <Index Channels, Index Hidden>
struct FeedForward {
  using First = Linear<Channels, Hidden>;
  using Second = Linear<Hidden, Channels>;
  static constexpr Index macs_per_token = First::macs_per_token + Second::macs_per_token;

  template <Backend B>
  static void forward(const typename B::Context& context, const typename First::template Weights<B>& first,
                      const typename Second::template Weights<B>& second, MatrixIn<B> x, const Dropout& dropout,
                      MatrixOut<B> hidden, MatrixIn<B> residual, MatrixOut<B> y) {
    First::template forward<B>(context, first, x, hidden, {}, Activation::relu);
    if (dropout.active()) B::dropout(context, MatrixIn<B>(hidden), dropout, MatrixIn<B>{}, hidden);
    Second::template forward<B>(context, second, MatrixIn<B>(hidden), y, residual);
  }

  /// dx = gradient of the input + residual. A hidden value is positive exactly where ReLU passed it and dropout kept
  /// it, so the hidden values serve as the mask.
  template <Backend B>
  static void backward(const typename B::Context& context, const typename First::template Weights<B>& first,
                       const typename Second::template Weights<B>& second, MatrixIn<B> x, const Dropout& dropout,
                       MatrixIn<B> hidden, MatrixIn<B> dy,
                       const typename First::template Parameters<typename B::Scalar>& first_gradient,
                       const typename Second::template Parameters<typename B::Scalar>& second_gradient,
                       MatrixIn<B> residual, MatrixOut<B> dx, Arena<typename B::Scalar> scratch) {
    using T = typename B::Scalar;
    const MatrixOut<B> d_hidden(scratch.take(hidden.rows * Hidden), hidden.rows, Hidden);
    Second::template backward<B>(context, second, hidden, dy, second_gradient, d_hidden);
    const T scale = dropout.active() ? static_cast<T>(1.0 / (1.0 - static_cast<double>(dropout.rate))) : T{1};
    B::relu_backward(context, hidden, scale, d_hidden);
    First::template backward<B>(context, first, x, MatrixIn<B>(d_hidden), first_gradient, dx, residual);
  }
};

}  // namespace ADTR_ABI
}  // namespace adtr

/// A linear layer on tokens, with its gradient.
#pragma once

#include "adtr/nn/layer.hpp"
#include "adtr/nn/weights.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// y = x·Wᵀ + b, with x (rows, Inputs) and W (Outputs, Inputs). On a map this is a 1×1 convolution.
template <Index Inputs, Index Outputs>
struct Linear {
  static constexpr Index inputs = Inputs;
  static constexpr Index outputs = Outputs;
  static constexpr Index macs_per_token = Inputs * Outputs;

  template <class T>
  struct Parameters {
    T* weight = nullptr;
    T* bias = nullptr;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("weight", self.weight, Shape{Outputs, Inputs});
      visit("bias", self.bias, Shape{Outputs});
    }
  };

  template <Backend B>
  struct Weights {
    using T = typename B::Scalar;
    using In = MatrixIn<B>;
    using Out = MatrixOut<B>;
    using InGradient = MatrixOut<B>;
    struct Kept {};
    typename B::Packed for_forward;   ///< for x·Wᵀ
    typename B::Packed for_backward;  ///< for dy·W; empty in inference
    typename B::Memory bias;

    void prepare(const Preparation<B>& how, const Parameters<T>& p) {
      B::pack(how.context, {p.weight, outputs, inputs}, for_forward);
      if (how.mode == Mode::training) B::pack_transposed(how.context, {p.weight, outputs, inputs}, for_backward);
      assign<B>(how.context, bias, p.bias, outputs);
    }

    /// y = activation(x·Wᵀ + b + residual).
    Kept forward(const Pass<B>& pass, In x, Out y, Arena<T>& /*arena*/, MatrixIn<B> residual = {},
                 Activation activation = Activation::none) const {
      B::multiply(pass.context, x, for_forward, Epilogue<T>{bias.data(), residual, activation}, y);
      return {};
    }

    /// Adds to the gradients of W and b. Computes dx = dy·W + residual, unless dx is a null view.
    void backward(const Pass<B>& pass, In x, const Kept& /*kept*/, MatrixIn<B> dy, const Parameters<T>& gradient,
                  InGradient dx, Arena<T>& /*arena*/, MatrixIn<B> residual = {}) const {
      B::accumulate_weight_gradient(pass.context, dy, x, MatrixOut<B>(gradient.weight, outputs, inputs));
      B::accumulate_column_sums(pass.context, dy, gradient.bias);
      if (dx.data != nullptr)
        B::multiply(pass.context, dy, for_backward, Epilogue<T>{nullptr, residual, Activation::none}, dx);
    }
  };
};
static_assert(TrainableLayer<Linear<4, 8>>, "Linear must be a TrainableLayer");

}  // namespace ADTR_ABI
}  // namespace adtr

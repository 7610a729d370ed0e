/// A linear layer on tokens, with its gradient.
#pragma once

#include "adtr/backend/backend.hpp"
#include "adtr/core/arena.hpp"
#include "adtr/nn/parameters.hpp"
#include "adtr/nn/weights.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Whether weights are prepared for inference only, or for gradients as well.
enum class Mode : std::uint8_t { inference, training };

/// y = x·Wᵀ + b, with x (rows, In) and W (Out, In). On a map this is a 1×1 convolution.
template <Index In, Index Out>
struct Linear {
  static constexpr Index inputs = In;
  static constexpr Index outputs = Out;
  static constexpr Index macs_per_token = In * Out;

  template <class T>
  struct Parameters {
    T* weight = nullptr;
    T* bias = nullptr;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("weight", self.weight, Shape{Out, In});
      visit("bias", self.bias, Shape{Out});
    }
  };

  template <Backend B>
  struct Weights {
    typename B::Packed forward;   ///< for x·Wᵀ
    typename B::Packed backward;  ///< for dy·W; empty in inference
    typename B::Memory bias;
  };

  template <Backend B>
  static void prepare(const typename B::Context& context, const Parameters<typename B::Scalar>& p, Mode mode,
                      Weights<B>& w) {
    B::pack(context, {p.weight, Out, In}, w.forward);
    if (mode == Mode::training) B::pack_transposed(context, {p.weight, Out, In}, w.backward);
    assign<B>(context, w.bias, p.bias, Out);
  }

  /// y = activation(x·Wᵀ + b + residual).
  template <Backend B>
  static void forward(const typename B::Context& context, const Weights<B>& w, MatrixIn<B> x, MatrixOut<B> y,
                      MatrixIn<B> residual = {}, Activation activation = Activation::none) {
    using T = typename B::Scalar;
    B::multiply(context, x, w.forward, Epilogue<T>{w.bias.data(), residual, activation}, y);
  }

  /// Adds to the gradients of W and b. Computes dx = dy·W + residual, unless dx is a null view.
  template <Backend B>
  static void backward(const typename B::Context& context, const Weights<B>& w, MatrixIn<B> x, MatrixIn<B> dy,
                       const Parameters<typename B::Scalar>& gradient, MatrixOut<B> dx, MatrixIn<B> residual = {}) {
    using T = typename B::Scalar;
    B::accumulate_weight_gradient(context, dy, x, MatrixOut<B>(gradient.weight, Out, In));
    B::accumulate_column_sums(context, dy, gradient.bias);
    if (dx.data != nullptr) B::multiply(context, dy, w.backward, Epilogue<T>{nullptr, residual, Activation::none}, dx);
  }
};

}  // namespace ADTR_ABI
}  // namespace adtr

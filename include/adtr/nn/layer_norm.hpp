/// Layer normalisation over the channels of each token, with its gradient.
#pragma once

#include "adtr/backend/backend.hpp"
#include "adtr/nn/parameters.hpp"
#include "adtr/nn/weights.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// y = (x − mean)/√(variance + 1e-5)·γ + β (Ba et al., 2016; PyTorch's default eps).
template <Index Channels>
struct LayerNorm {
  static constexpr double eps = 1e-5;

  template <class T>
  struct Parameters {
    T* weight = nullptr;
    T* bias = nullptr;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("weight", self.weight, Shape{Channels});
      visit("bias", self.bias, Shape{Channels});
    }
  };

  template <Backend B>
  struct Weights {
    typename B::Memory weight, bias;
  };

  template <Backend B>
  static void prepare(const typename B::Context& context, const Parameters<typename B::Scalar>& p, Weights<B>& w) {
    assign<B>(context, w.weight, p.weight, Channels);
    assign<B>(context, w.bias, p.bias, Channels);
  }

  /// Stores `statistics` (rows, 2) for the gradient, unless it is null.
  template <Backend B>
  static void forward(const typename B::Context& context, const Weights<B>& w, MatrixIn<B> x, MatrixOut<B> y,
                      typename B::Scalar* statistics) {
    using T = typename B::Scalar;
    B::layer_norm(context, x, w.weight.data(), w.bias.data(), static_cast<T>(eps), y, statistics);
  }

  template <Backend B>
  static void backward(const typename B::Context& context, const Weights<B>& w, MatrixIn<B> x,
                       const typename B::Scalar* statistics, MatrixIn<B> dy,
                       const Parameters<typename B::Scalar>& gradient, MatrixOut<B> dx) {
    B::layer_norm_backward(context, x, w.weight.data(), statistics, dy, dx, gradient.weight, gradient.bias);
  }
};

}  // namespace ADTR_ABI
}  // namespace adtr

/// Layer normalisation over the channels of each token, with its gradient.
#pragma once

#include "adtr/nn/layer.hpp"
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
    using T = typename B::Scalar;
    using In = MatrixIn<B>;
    using Out = MatrixOut<B>;
    using InGradient = MatrixOut<B>;
    struct Kept {
      T* statistics = nullptr;  ///< (rows, 2): mean and 1/σ of each token; null in inference
    };
    typename B::Memory weight, bias;

    void prepare(const Preparation<B>& how, const Parameters<T>& p) {
      assign<B>(how.context, weight, p.weight, Channels);
      assign<B>(how.context, bias, p.bias, Channels);
    }

    Kept forward(const Pass<B>& pass, In x, Out y, Arena<T>& arena) const {
      const Kept kept{pass.training() ? arena.take(x.rows * 2) : nullptr};
      B::layer_norm(pass.context, x, weight.data(), bias.data(), static_cast<T>(eps), y, kept.statistics);
      return kept;
    }

    void backward(const Pass<B>& pass, In x, const Kept& kept, MatrixIn<B> dy, const Parameters<T>& gradient,
                  InGradient dx, Arena<T>& /*arena*/) const {
      B::layer_norm_backward(pass.context, x, weight.data(), kept.statistics, dy, dx, gradient.weight, gradient.bias);
    }
  };
};
static_assert(TrainableLayer<LayerNorm<8>>, "LayerNorm must be a TrainableLayer");

}  // namespace ADTR_ABI
}  // namespace adtr

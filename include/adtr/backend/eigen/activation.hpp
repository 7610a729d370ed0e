/// Eigen backend: the activations, one case each.
#pragma once

#include "adtr/backend/arguments.hpp"
#include "adtr/backend/eigen/context.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace eigen {

/// x = activation(x) for n elements of scratch memory. NaN stays NaN.
inline void activate(float* x, Index n, Activation activation) {
  switch (activation) {
    case Activation::none:
      return;
    case Activation::relu:
      for (Index i = 0; i < n; ++i) x[i] = x[i] < 0.0F ? 0.0F : x[i];
      return;
    case Activation::relu6:
      for (Index i = 0; i < n; ++i) x[i] = x[i] < 0.0F ? 0.0F : x[i] > 6.0F ? 6.0F : x[i];
      return;
    case Activation::silu: {
      AlignedArray v(x, aligned_size<float>(n));
      v = v / (1.0F + (-v).exp());
      return;
    }
  }
}

}  // namespace eigen
}  // namespace ADTR_ABI
}  // namespace adtr

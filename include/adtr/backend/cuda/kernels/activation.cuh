/// CUDA: the activations, one case each.
#pragma once

#include <cmath>

#include "adtr/backend/arguments.hpp"
#include "adtr/backend/cuda/execution.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::kernels {

/// The activation of x. NaN stays NaN.
ADTR_DEVICE float activate(float x, Activation activation) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return x < 0.0F ? 0.0F : x;
    case Activation::relu6:
      return x < 0.0F ? 0.0F : x > 6.0F ? 6.0F : x;
    case Activation::silu:
      return x / (1.0F + expf(-x));
  }
  return x;
}

}  // namespace cuda::kernels
}  // namespace ADTR_ABI
}  // namespace adtr

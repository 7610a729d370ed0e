/// Reference: the activations, one case each.
#pragma once

#include <algorithm>
#include <cmath>

#include "adtr/backend/arguments.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace reference {

inline double activate(double x, Activation activation) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return (std::max)(x, 0.0);
    case Activation::relu6:
      return (std::min)((std::max)(x, 0.0), 6.0);
    case Activation::silu:
      return x / (1.0 + std::exp(-x));
  }
  return x;
}

}  // namespace reference
}  // namespace ADTR_ABI
}  // namespace adtr

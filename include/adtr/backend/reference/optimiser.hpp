/// Reference: the norm of the gradient, and the optimiser.
#pragma once

#include <cmath>

#include "adtr/backend/arguments.hpp"
#include "adtr/backend/reference/context.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace reference {

template <class T>
struct Optimiser {
  static void squared_norm(const Context&, const T* x, Index n, double* sum) {
    for (Index i = 0; i < n; ++i) *sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  }

  static void adamw(const Context&, const AdamW& a, Index n, T* p, const T* g, T* m, T* v) {
    const double correction1 = 1.0 - std::pow(a.beta1, static_cast<double>(a.step));
    const double correction2 = std::sqrt(1.0 - std::pow(a.beta2, static_cast<double>(a.step)));
    const double scale = a.gradient_scale();
    for (Index i = 0; i < n; ++i) {
      const double gradient = static_cast<double>(g[i]) * scale;
      const double first = a.beta1 * static_cast<double>(m[i]) + (1.0 - a.beta1) * gradient;
      const double second = a.beta2 * static_cast<double>(v[i]) + (1.0 - a.beta2) * gradient * gradient;
      m[i] = static_cast<T>(first);
      v[i] = static_cast<T>(second);
      p[i] = static_cast<T>(static_cast<double>(p[i]) * (1.0 - a.learning_rate * a.weight_decay) -
                            a.learning_rate / correction1 * first / (std::sqrt(second) / correction2 + a.epsilon));
    }
  }
};

}  // namespace reference
}  // namespace ADTR_ABI
}  // namespace adtr

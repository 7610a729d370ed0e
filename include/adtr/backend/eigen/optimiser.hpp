/// Eigen backend: the norm of the gradient, and the optimiser.
#pragma once

#include <cmath>
#include <vector>

#include "adtr/backend/eigen/elements.hpp"
#include "adtr/core/ceil_div.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace eigen {

struct Optimiser {
  static void squared_norm(const Context& context, const float* x, Index n, double* total) {
    std::vector<double> pieces(static_cast<std::size_t>(ceil_div(n, piece)));
    for_each_piece(context, n, piece, [&](Index first, Index count) {
      pieces[static_cast<std::size_t>(first / piece)] = sum<double>(count, [&](Index i) {
        const auto value = static_cast<double>(x[first + i]);
        return value * value;
      });
    });
    for (const double s : pieces) *total += s;
  }

  static void adamw(const Context& context, const AdamW& a, Index n, float* p, const float* g, float* m, float* v) {
    const AdamWFactors k(a);
    const auto scale = static_cast<float>(a.gradient_scale());
    for_each_piece(context, n, piece, [&](Index first, Index count) {
      for (Index i = first; i < first + count; ++i) {
        const float gradient = g[i] * scale;
        m[i] = k.beta1 * m[i] + k.rest1 * gradient;
        v[i] = k.beta2 * v[i] + k.rest2 * gradient * gradient;
        p[i] = p[i] * k.decay - k.rate * m[i] / (std::sqrt(v[i]) * k.inverse_correction + k.epsilon);
      }
    });
  }

 private:
  static constexpr Index piece = 16384;
};

}  // namespace eigen
}  // namespace ADTR_ABI
}  // namespace adtr

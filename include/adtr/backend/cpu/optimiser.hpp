/// Cpu: the norm of the gradient, and the optimiser.
#pragma once

#include "adtr/backend/cpu/dispatch.hpp"
#include "adtr/backend/cpu/loops.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cpu {

struct Optimiser {
  static void squared_norm(const Context& context, const float* x, Index n, double* total) {
    const TrainingKernels& kernel = training_kernels();
    *total +=
        sum_of_parts(context, n, [&](Index begin, Index end) { return kernel.squared_norm(x + begin, end - begin); });
  }

  static void adamw(const Context& context, const AdamW& a, Index n, float* p, const float* g, float* m, float* v) {
    const TrainingKernels& kernel = training_kernels();
    const AdamWFactors factors(a);
    const auto scale = static_cast<float>(a.gradient_scale());
    context.for_ranges(n, 64, 8.0, [&](Index begin, Index end) {
      kernel.adamw(factors, scale, end - begin, p + begin, g + begin, m + begin, v + begin);
    });
  }
};

}  // namespace cpu
}  // namespace ADTR_ABI
}  // namespace adtr

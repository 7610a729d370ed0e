/// CUDA: the norm of the gradient, and the optimiser, for any runtime (GPU or emulator).
#pragma once

#include "adtr/backend/cuda/kernels/reduce.cuh"
#include "adtr/backend/cuda/launch.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda {

template <class Runtime>
struct Optimiser {
  using Context = typename Runtime::Context;

  static void squared_norm(const Context& context, const float* x, Index n, double* total) {
    launch_sum<kernels::SquaredNorm>(context, total, VectorView<const float>(x, elements(n, 1)));
  }

  static void adamw(const Context& context, const AdamW& a, Index n, float* p, const float* g, float* m, float* v) {
    context.template launch<kernels::AdamWElements>(
        {blocks(elements(n, 1), kernels::AdamWElements::threads)}, AdamWFactors(a), a.clip,
        VectorView<const double>(a.squared_norm, 1), VectorView<float>(p, n), VectorView<const float>(g, n),
        VectorView<float>(m, n), VectorView<float>(v, n));
  }
};

}  // namespace cuda
}  // namespace ADTR_ABI
}  // namespace adtr

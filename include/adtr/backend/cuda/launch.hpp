/// CUDA: the shapes of launches that several operations share, for any runtime (GPU or emulator).
#pragma once

#include "adtr/backend/cuda/kernels/reduce.cuh"
#include "adtr/backend/cuda/kernels/rows.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda {

/// Launches one thread per element of `result`.
template <class Kernel, class Context, class... Arguments>
void launch_elements(const Context& context, MatrixView<float> result, const Arguments&... arguments) {
  context.template launch<Kernel>({blocks(elements(result.rows, result.cols), Kernel::threads)}, arguments...);
}

/// Launches one warp per row of x.
template <class Kernel, class Context, class... Arguments>
void launch_rows(const Context& context, MatrixView<const float> x, const Arguments&... arguments) {
  context.template launch<Kernel>({blocks(elements(x.rows, 1), Kernel::per_block)}, arguments...);
}

/// Adds to *total the sum of the parts that a kernel writes.
template <class Kernel, class Context, class... Arguments>
void launch_sum(const Context& context, double* total, const Arguments&... arguments) {
  const VectorView<double> parts = context.partial_sums();
  context.template launch<Kernel>({parts.size}, arguments..., parts);
  context.template launch<kernels::SumOfParts>({1}, VectorView<const double>(parts.data, parts.size),
                                               VectorView<double>(total, 1));
}

}  // namespace cuda
}  // namespace ADTR_ABI
}  // namespace adtr

// Compiled with -DADTR_CUDA=ON.
#include "adtr/backend/cuda.hpp"
#include "parts.hpp"

namespace adtr_benchmark {
Timing run_on_cuda(const Options& o) {
  return run<adtr::Cuda>(o, adtr::Cuda::Context(0, adtr::cuda::parse_precision(o.precision)));
}
}  // namespace adtr_benchmark

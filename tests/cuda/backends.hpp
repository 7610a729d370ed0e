/// The CUDA backend that tests are for: on the GPU where nvcc compiles them, else on the emulator.
#pragma once

#include "adtr/backend/cuda.hpp"

namespace suite {

#if defined(__CUDACC__)
using CudaBackend = adtr::Cuda;
using CudaRuntime = adtr::cuda::device::Runtime;
#else
using CudaBackend = adtr::CudaEmulator;
using CudaRuntime = adtr::cuda::emulator::Runtime;
#endif

/// A context whose kernels get at the GPU's memory and no other, and run as late as they may.
inline CudaBackend::Context device_only(adtr::cuda::Precision precision) {
#if defined(__CUDACC__)
  return CudaBackend::Context(0, precision);
#else
  return CudaBackend::Context(1, precision, true, adtr::cuda::emulator::Access::device,
                              adtr::cuda::emulator::Pace::late);
#endif
}

/// The backend with products on tensor cores: its contexts are of that precision.
template <adtr::cuda::Precision P>
struct TensorBackend : adtr::cuda::Operations<CudaRuntime> {
  static constexpr adtr::cuda::Precision precision = P;
#if defined(__CUDACC__)
  static constexpr const char* name = P == adtr::cuda::Precision::tf32 ? "cuda-tf32" : "cuda-bf16";
#else
  static constexpr const char* name = P == adtr::cuda::Precision::tf32 ? "cuda-emulator-tf32" : "cuda-emulator-bf16";
#endif
};

using Tf32Backend = TensorBackend<adtr::cuda::Precision::tf32>;
using Bf16Backend = TensorBackend<adtr::cuda::Precision::bf16>;

}  // namespace suite

/// The CUDA backend under test: on a GPU if nvcc compiles the tests, otherwise on the emulator.
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

/// A context whose kernels can access only the GPU's memory, and run as late as possible.
inline CudaBackend::Context device_only(adtr::cuda::Precision precision) {
#if defined(__CUDACC__)
  return CudaBackend::Context(0, precision);
#else
  return CudaBackend::Context(1, precision, true, adtr::cuda::emulator::Access::device,
                              adtr::cuda::emulator::Pace::late);
#endif
}

/// The backend with products on tensor cores; its contexts have this precision.
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

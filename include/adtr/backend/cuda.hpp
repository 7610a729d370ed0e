/// The CUDA backend: float, hand-written kernels, no library except the CUDA runtime. A Context may request products on
/// tensor cores, which round the factors (`cuda::Precision`).
///
/// A file that nvcc compiles gets `Cuda`, whose views refer to GPU memory. Any other file gets `CudaEmulator`, which
/// runs the same operations and kernels on the CPU and checks every access; it is for tests only. A run gives the same
/// bits on all GPUs of one architecture and whatever else is in the batch.
#pragma once

#include "adtr/backend/cuda/operations.hpp"

#if defined(__CUDACC__)
#include "adtr/backend/cuda/device/runtime.cuh"
#else
#include "adtr/backend/cuda/emulator/runtime.hpp"
#endif

namespace adtr {
inline namespace ADTR_ABI {

#if defined(__CUDACC__)

struct Cuda : cuda::Operations<cuda::device::Runtime> {
  static constexpr const char* name = "cuda";
};
static_assert(Backend<Cuda>);

#else

struct CudaEmulator : cuda::Operations<cuda::emulator::Runtime> {
  static constexpr const char* name = "cuda-emulator";
};
static_assert(Backend<CudaEmulator>);

#endif

}  // namespace ADTR_ABI
}  // namespace adtr

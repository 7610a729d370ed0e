/// The CUDA backend: float, hand-written kernels, and no library beside CUDA's runtime. A Context may ask for products
/// on tensor cores, whose factors are rounded (`cuda::Precision`).
///
/// A file that nvcc compiles gets `Cuda`, whose views are on memory of the GPU; any other one gets `CudaEmulator`,
/// which runs the same operations and kernels on the CPU, checks every access, and is for tests only. A run gives the
/// same bits for any GPU of one architecture and whatever else is in the batch.
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

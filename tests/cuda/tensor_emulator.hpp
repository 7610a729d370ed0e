/// The emulator as a backend that multiplies on tensor cores.
#pragma once

#include "adtr/backend/cuda.hpp"

namespace suite {

/// What contexts of precision P are made by, which tests give an order and no more.
template <adtr::cuda::Precision P>
struct PrecisionRuntime : adtr::cuda::emulator::Runtime {
  struct Context : adtr::cuda::emulator::Context {
    explicit Context(int order = 1) : adtr::cuda::emulator::Context(order, P) {}
  };
};

template <adtr::cuda::Precision P>
struct TensorEmulator : adtr::cuda::Operations<PrecisionRuntime<P>> {
  static constexpr const char* name = P == adtr::cuda::Precision::tf32 ? "cuda-emulator-tf32" : "cuda-emulator-bf16";
};

using Tf32Emulator = TensorEmulator<adtr::cuda::Precision::tf32>;
using Bf16Emulator = TensorEmulator<adtr::cuda::Precision::bf16>;

}  // namespace suite

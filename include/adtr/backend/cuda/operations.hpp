/// CUDA: all operations of the backend, for any runtime. A runtime launches kernels and provides memory.
#pragma once

#include "adtr/backend/backend.hpp"
#include "adtr/backend/cuda/attention.hpp"
#include "adtr/backend/cuda/blocks.hpp"
#include "adtr/backend/cuda/gemm.hpp"
#include "adtr/backend/cuda/losses.hpp"
#include "adtr/backend/cuda/maps.hpp"
#include "adtr/backend/cuda/memory.hpp"
#include "adtr/backend/cuda/nearest.hpp"
#include "adtr/backend/cuda/optimiser.hpp"
#include "adtr/backend/cuda/tokens.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda {

/// A backend is an Operations<Runtime> with a name. The runtime does not choose the kernels, so the emulator tests the
/// same kernels that a GPU runs.
template <class Runtime>
struct Operations : DeviceMemory<Runtime>,
                    Gemm<Runtime>,
                    Maps<Runtime>,
                    Attentions<Runtime>,
                    Tokens<Runtime>,
                    Losses<Runtime>,
                    Nearest<Runtime>,
                    Optimiser<Runtime>,
                    Blocks<Runtime> {
  using Scalar = float;
  using Context = typename Runtime::Context;
  using Packed = typename Gemm<Runtime>::Packed;
};

}  // namespace cuda
}  // namespace ADTR_ABI
}  // namespace adtr

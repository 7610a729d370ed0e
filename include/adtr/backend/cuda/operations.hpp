/// CUDA: all operations of the backend, for a runtime: what launches kernels and holds memory.
#pragma once

#include "adtr/backend/backend.hpp"
#include "adtr/backend/cuda/attentions.hpp"
#include "adtr/backend/cuda/blocks.hpp"
#include "adtr/backend/cuda/maps.hpp"
#include "adtr/backend/cuda/memory.hpp"
#include "adtr/backend/cuda/products.hpp"
#include "adtr/backend/cuda/tokens.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda {

/// A backend is an Operations<Runtime> with a name. It has no say in which kernels run: what the emulator tests is
/// what a GPU does.
template <class Runtime>
struct Operations : DeviceMemory<Runtime>,
                    Products<Runtime>,
                    Maps<Runtime>,
                    Attentions<Runtime>,
                    Tokens<Runtime>,
                    Blocks<Runtime> {
  using Scalar = float;
  using Context = typename Runtime::Context;
  using Packed = typename Products<Runtime>::Packed;
};

}  // namespace cuda
}  // namespace ADTR_ABI
}  // namespace adtr

/// Compiles every operation of the backend Cuda, and so every kernel, for the GPUs that it is built for.
#include "adtr/backend/cuda.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda {

template struct Gemm<device::Runtime>;
template struct Maps<device::Runtime>;
template struct Blocks<device::Runtime>;
template struct Attentions<device::Runtime>;
template struct Tokens<device::Runtime>;
template struct Losses<device::Runtime>;
template struct Nearest<device::Runtime>;
template struct Optimiser<device::Runtime>;
template class device::DeviceBuffer<float>;

}  // namespace cuda
}  // namespace ADTR_ABI
}  // namespace adtr

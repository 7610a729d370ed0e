// Compiled with -DADTR_CUDA=ON.
#include "adtr/backend/cuda.hpp"
#include "backend_of.hpp"
#include "networks.hpp"

namespace program {

template <>
struct ContextOf<adtr::Cuda> {
  [[nodiscard]] static adtr::Cuda::Context make(const CommonOptions& options) {
    return adtr::Cuda::Context(0, adtr::cuda::parse_precision(options.precision));
  }
};

constinit const BackendFunctions cuda_functions = functions_of<adtr::Cuda, ProgramNetworksElsewhere>();

}  // namespace program

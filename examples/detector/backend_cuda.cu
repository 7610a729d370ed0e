// Compiled with -DADTR_CUDA=ON.
#include "adtr/backend/cuda.hpp"
#include "backend_of.hpp"
#include "networks.hpp"

namespace program {
constinit const BackendFunctions cuda_functions = functions_of<adtr::Cuda, ProgramNetworksElsewhere>();
}

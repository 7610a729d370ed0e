#include "adtr/backend/eigen.hpp"
#include "backend_of.hpp"

namespace program {
constinit const BackendFunctions eigen_functions = functions_of<adtr::EigenBackend>();
}

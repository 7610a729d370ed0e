#include "adtr/backend/eigen.hpp"
#include "backend_of.hpp"
#include "networks.hpp"

namespace program {
constinit const BackendFunctions eigen_functions = functions_of<adtr::EigenBackend, ProgramNetworksElsewhere>();
}

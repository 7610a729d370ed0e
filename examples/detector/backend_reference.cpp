#include "adtr/backend/reference.hpp"
#include "backend_of.hpp"
#include "networks.hpp"

namespace program {
constinit const BackendFunctions reference_functions = functions_of<adtr::Reference<float>, ProgramNetworksElsewhere>();
}

#include "adtr/backend/cpu.hpp"
#include "backend_of.hpp"
#include "networks.hpp"

namespace program {
constinit const BackendFunctions cpu_functions = functions_of<adtr::Cpu, ProgramNetworks>();
}

// The Cpu backend's kernels, compiled once for all units that link adtr::kernels.
#include "adtr/backend/cpu/dispatch.hpp"

template struct adtr::cpu::KernelTables<>;

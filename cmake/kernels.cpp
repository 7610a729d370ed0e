// The Cpu backend's kernels, compiled once for all units that link adtr::kernels.
#undef ADTR_EXTERN_KERNELS  // of those units; this one has the kernels
#include "adtr/backend/cpu/dispatch.hpp"

template struct adtr::cpu::KernelTables<>;

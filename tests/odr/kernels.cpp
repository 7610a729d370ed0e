#include "adtr/backend/cpu/dispatch.hpp"

/// Uses the table of kernels, and so every kernel of every instruction set.
adtr::Isa chosen_isa() { return adtr::current_isa(); }

#include "adtr/backend/cpu/dispatch.hpp"

/// Takes the table of kernels, and with it every kernel of every instruction set.
adtr::Isa chosen_isa() { return adtr::current_isa(); }

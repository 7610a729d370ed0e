// The message lists the missing functions for the author of a backend.
// expect: B::adamw
#include "adtr/backend/cpu.hpp"

struct Mine : adtr::Cpu {
#ifndef ADTR_COMPILE_FAIL_CONTROL
  static void adamw();
#endif
};

static_assert(adtr::BackendOperations<Mine>);

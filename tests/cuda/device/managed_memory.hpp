/// Operator new from memory that the host and the GPU share: what a std::vector holds, a kernel may be given.
#pragma once

#include <string>

namespace managed_memory {

/// From here on operator new takes from it. Returns why it cannot, or nothing.
[[nodiscard]] std::string begin();

/// What the program ends with: memory that goes with the GPU's driver must not outlive it, so the program ends before
/// whatever was there before `begin` is destroyed.
void set_exit_status(int status);

}  // namespace managed_memory

/// Makes operator new use memory that the host and the GPU share, so that a kernel may get the data of a std::vector.
#pragma once

#include <string>

namespace managed_memory {

/// Switches operator new to this memory. Returns the reason if that fails.
[[nodiscard]] std::string begin();

/// Ends the program. The memory must not outlive the GPU's driver, so the program ends before
/// objects from before `begin` are destroyed.
void set_exit_status(int status);

}  // namespace managed_memory

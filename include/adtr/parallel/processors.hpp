/// How many processors this process may use, and the note to the user if it gets fewer threads than requested.
#pragma once

#include <string>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The number of processors that this process may use, at least 1: those that its affinity (taskset, cpusets) allows,
/// or the quota of its control group (a container's limit), rounded up, if that is lower.
[[nodiscard]] int available_processors();

/// Throws Error if a number of threads is negative.
void check_threads(int threads);

/// A sentence for the user if `got` threads are used although `asked` were requested (0 requests all processors).
/// Empty if the request was met. `processors` is the number that the process may use.
[[nodiscard]] std::string threads_note(int asked, int got, int processors = available_processors());

}  // namespace ADTR_ABI
}  // namespace adtr

#if !defined(ADTR_EXTERN_KERNELS)
#include "adtr/parallel/processors.inl.hpp"
#endif

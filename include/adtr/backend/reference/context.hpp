/// The Context of the Reference backend.
#pragma once

#include "adtr/parallel/processors.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace reference {

/// Where the Reference backend runs: the calling thread. The number of threads asked for does not matter, but a
/// negative one throws Error as it does everywhere.
struct Context {
  explicit Context(int threads = 1) { check_threads(threads); }
};

}  // namespace reference
}  // namespace ADTR_ABI
}  // namespace adtr

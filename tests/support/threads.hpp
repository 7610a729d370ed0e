/// Contexts with several threads, also on machines with one processor.
#pragma once

#include <concepts>

#include "adtr/parallel/thread_pool.hpp"

namespace support {

/// A context of backend B with exactly this number of threads, if B has threads.
template <class B>
[[nodiscard]] typename B::Context context(int threads) {
  if constexpr (std::constructible_from<typename B::Context, int, adtr::Oversubscribe>)
    return typename B::Context(threads, adtr::Oversubscribe::yes);
  else
    return typename B::Context(threads);
}

}  // namespace support

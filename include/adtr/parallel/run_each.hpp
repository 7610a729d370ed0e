/// A parallel loop that does not depend on the backend's type.
#pragma once

#include <functional>

#include "adtr/core/extents.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Calls fn(i) for every i in [0, count), on any threads, and returns when all calls have.
using RunEach = std::function<void(Index count, const std::function<void(Index)>& fn)>;

/// The loop on the threads of a backend's context, or on the calling thread if the context has none. `context` must
/// outlive the result.
template <class Context>
[[nodiscard]] RunEach run_each_on(const Context& context) {
  return [&context](Index count, const std::function<void(Index)>& fn) {
    if constexpr (requires { context.for_each(count, fn); }) {
      context.for_each(count, fn);
    } else {
      static_cast<void>(context);  // or clang warns of an unused capture
      for (Index i = 0; i < count; ++i) fn(i);
    }
  };
}

}  // namespace ADTR_ABI
}  // namespace adtr

/// The interface for running a backend's loops: ThreadPool implements it, or the user with threads of their own.
#pragma once

#include <memory>
#include <type_traits>

#include "adtr/core/extents.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Runs the iterations of loops. Derive from it to make adtr use your own threads. Results have the same bits in
/// whatever order and on whichever threads iterations run.
class Executor {
 public:
  virtual ~Executor() = default;

  /// Number of iterations that may run at the same time. Loops are cut into several pieces for each.
  [[nodiscard]] virtual int threads() const = 0;

  /// Calls call(function, i) once for every i in [0, count), in any order, and returns when all calls have returned.
  /// What the caller wrote before must be visible to the calls, and what they wrote must be visible to the caller
  /// afterwards. `call` does not throw and starts no loop of its own. Several threads may call parallel_for at the same
  /// time if their detectors share the executor.
  virtual void parallel_for(Index count, void (*call)(void* function, Index i), void* function) = 0;

  /// Calls fn(i) for every i in [0, count). Neither copies fn nor allocates.
  template <class F>
  void for_each(Index count, F&& fn) {
    static_assert(std::is_invocable_v<F&, Index>);
    using Function = std::remove_reference_t<F>;
    parallel_for(
        count, [](void* function, Index i) { (*static_cast<Function*>(function))(i); },
        const_cast<void*>(static_cast<const void*>(std::addressof(fn))));
  }
};

}  // namespace ADTR_ABI
}  // namespace adtr

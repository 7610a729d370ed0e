/// Who runs a backend's loops: our ThreadPool, or threads that the user has already.
#pragma once

#include <memory>
#include <type_traits>

#include "adtr/core/extents.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Runs the iterations of loops. Derive from it to have adtr use threads of your own: results are the same bits
/// whatever the order, and on whichever threads, iterations run.
class Executor {
 public:
  virtual ~Executor() = default;

  /// How many iterations may run at one time; loops are cut into some pieces for each.
  [[nodiscard]] virtual int threads() const = 0;

  /// Calls call(function, i) once for every i in [0, count), in any order, and returns when all have returned: what
  /// they wrote must be visible to the caller then, and to them what the caller wrote before. `call` does not throw and
  /// starts no loop of its own. Several threads may call this at a time where their detectors share the executor.
  virtual void parallel_for(Index count, void (*call)(void* function, Index i), void* function) = 0;

  /// The same for any fn(i). Neither copies fn nor allocates.
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

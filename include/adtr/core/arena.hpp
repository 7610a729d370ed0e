/// A stack of memory for the activations and the scratch of a forward or a training pass.
#pragma once

#include <cstdint>
#include <string>

#include "adtr/core/buffer.hpp"
#include "adtr/core/error.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {
/// An address that is aligned to a cache line and must never be read or written: it stands for memory whose size is
/// still being measured. It is not null, so that offsets may be added to it.
template <class T>
[[nodiscard]] T* no_memory() {
  return reinterpret_cast<T*>(static_cast<std::uintptr_t>(1) << 20);
}

[[noreturn, gnu::cold]] inline void throw_arena_full(Index capacity, Index used) {
  throw Error("arena: expected at most " + std::to_string(capacity) + " elements to be taken, found " +
                  std::to_string(used) + "; measure the pass that runs, with the same sizes, mode and dropout",
              ErrorCode::shape);
}
}  // namespace detail

/// Hands out pieces of one memory block, each aligned to a cache line. A default-constructed arena only counts: it
/// hands out addresses without memory behind them, so that a pass on the backend `Measuring` tells how much memory it
/// needs.
template <class T>
class Arena {
 public:
  Arena() : data_(detail::no_memory<T>()) {}
  Arena(T* data, Index capacity) : data_(data), capacity_(capacity) {}

  /// Throws Error (shape) if the memory is too small: the pass is then not the one that was measured.
  [[nodiscard]] T* take(Index elements) {
    const Index begin = used_;
    used_ += aligned_size<T>(elements);
    if (used_ > peak_) peak_ = used_;
    if (capacity_ >= 0 && used_ > capacity_) detail::throw_arena_full(capacity_, used_);
    return data_ + begin;
  }

  /// The number of elements handed out so far; `release(used)` takes back everything handed out later.
  [[nodiscard]] Index used() const { return used_; }
  void release(Index used) { used_ = used; }
  /// The highest number of elements in use at one time.
  [[nodiscard]] Index peak() const { return peak_; }

 private:
  T* data_;
  Index capacity_ = -1;  ///< −1: only counts
  Index used_ = 0;
  Index peak_ = 0;
};

/// Takes back, at the end of its scope, everything that an arena handed out within it; nothing if `active` is false.
template <class T>
class ArenaScope {
 public:
  explicit ArenaScope(Arena<T>& arena, bool active = true) : arena_(arena), used_(arena.used()), active_(active) {}
  ~ArenaScope() {
    if (active_) arena_.release(used_);
  }
  ArenaScope(const ArenaScope&) = delete;
  ArenaScope& operator=(const ArenaScope&) = delete;

 private:
  Arena<T>& arena_;
  Index used_;
  bool active_;
};

}  // namespace ADTR_ABI
}  // namespace adtr

/// Scratch memory handed out in order and taken back all at once: activations of a forward or a training pass.
#pragma once

#include <algorithm>
#include <cassert>

#include "adtr/core/buffer.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Hands out pieces of one block of memory, each on a cache line. A default-constructed arena measures: it hands out
/// null pointers and counts, also in a constant expression, so the size a plan needs is known before it exists.
template <class T>
class Arena {
 public:
  constexpr Arena() = default;
  constexpr Arena(T* data, Index capacity) : data_(data), capacity_(capacity) {}

  [[nodiscard]] constexpr T* take(Index elements) {
    const Index begin = used_;
    used_ += aligned_size<T>(elements);
    if (used_ > peak_) peak_ = used_;
    if (data_ == nullptr) return nullptr;
    assert(used_ <= capacity_);
    return data_ + begin;
  }

  /// What has been handed out so far; `release(mark)` takes everything back that came after.
  [[nodiscard]] constexpr Index mark() const { return used_; }
  constexpr void release(Index mark) { used_ = mark; }
  /// For pieces that lie over others: nothing more is handed out before `mark`.
  constexpr void skip_to(Index mark) { used_ = std::max(used_, mark); }
  /// The most that was ever out at one time.
  [[nodiscard]] constexpr Index peak() const { return peak_; }

 private:
  T* data_ = nullptr;
  Index capacity_ = 0;
  Index used_ = 0;
  Index peak_ = 0;
};

}  // namespace ADTR_ABI
}  // namespace adtr

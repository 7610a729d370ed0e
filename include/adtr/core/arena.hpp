/// A stack of scratch memory for the activations of a forward or a training pass.
#pragma once

#include <algorithm>
#include <cassert>

#include "adtr/core/buffer.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Hands out pieces of one memory block, each aligned to a cache line. A default-constructed arena only measures: it
/// returns null pointers and counts, also in constant expressions, so that a plan's size is known before allocation.
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

  /// The number of elements handed out so far; `release(mark)` takes back everything handed out later.
  [[nodiscard]] constexpr Index mark() const { return used_; }
  constexpr void release(Index mark) { used_ = mark; }
  /// For overlapping pieces: later pieces begin at `mark` or after it.
  constexpr void skip_to(Index mark) { used_ = std::max(used_, mark); }
  /// The highest number of elements in use at one time.
  [[nodiscard]] constexpr Index peak() const { return peak_; }

 private:
  T* data_ = nullptr;
  Index capacity_ = 0;
  Index used_ = 0;
  Index peak_ = 0;
};

}  // namespace ADTR_ABI
}  // namespace adtr

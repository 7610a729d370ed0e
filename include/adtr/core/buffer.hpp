/// Owned memory: 64-byte aligned, zeroed, never grown behind one's back.
#pragma once

#include <algorithm>
#include <memory>
#include <new>
#include <span>

#include "adtr/core/extents.hpp"

namespace adtr::inline ADTR_ABI {

/// One cache line, and the widest vector of any instruction set. The same on every machine: no layout depends on it.
inline constexpr std::size_t alignment = 64;

/// A run of `size` elements that begins on a cache line; zero at first. Moves, does not copy.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  /// Not inlined: a network has hundreds, and its loading would be mostly this.
  [[gnu::noinline]] explicit Buffer(Index size)
      : data_(size == 0 ? nullptr
                        : static_cast<T*>(::operator new (static_cast<std::size_t>(size) * sizeof(T),
                                                          std::align_val_t{alignment}))),
        size_(size) {
    std::fill_n(data_.get(), size, T{});
  }

  [[nodiscard]] T* data() { return data_.get(); }
  [[nodiscard]] const T* data() const { return data_.get(); }
  [[nodiscard]] Index size() const { return size_; }
  [[nodiscard]] std::span<T> span() { return {data(), static_cast<std::size_t>(size_)}; }
  [[nodiscard]] std::span<const T> span() const { return {data(), static_cast<std::size_t>(size_)}; }

 private:
  static_assert(std::is_trivial_v<T>, "a Buffer holds numbers");
  struct Free {
    void operator()(T* p) const { ::operator delete (p, std::align_val_t{alignment}); }
  };
  std::unique_ptr<T[], Free> data_;
  Index size_ = 0;
};

/// Rounds a number of elements up so that what follows begins on a cache line.
template <class T>
[[nodiscard]] constexpr Index aligned_size(Index elements) {
  constexpr Index line = static_cast<Index>(alignment / sizeof(T));
  return (elements + line - 1) / line * line;
}

}  // namespace adtr::inline ADTR_ABI

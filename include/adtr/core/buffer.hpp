/// Owned memory: 64-byte aligned, zeroed, of fixed size.
#pragma once

#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "adtr/core/ceil_div.hpp"
#include "adtr/core/extents.hpp"
#include "adtr/core/memory_error.hpp"
#include "adtr/core/page_block.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// Zeroed bytes aligned to a cache line, from `block` or, if that is null, from operator new.
struct Allocation {
  void* memory = nullptr;
  PageBlock* block = nullptr;

  /// Throws Error if the system has no memory left.
  [[nodiscard]] static Allocation make(std::size_t bytes) {
    if (bytes == 0) return {};
    PageBlock* const together = BuffersTogether::current();
    if (together != nullptr)
      if (void* const memory = together->cut(bytes)) return {memory, together};
    if (bytes >= PageBlock::huge)
      if (PageBlock* const own = PageBlock::map(bytes)) {
        void* const memory = own->cut(bytes);
        own->release();
        return {memory, own};
      }
    void* const memory = ::operator new (bytes, std::align_val_t{alignment}, std::nothrow);
    if (memory == nullptr) throw_no_memory(bytes);
    std::memset(memory, 0, bytes);
    return {memory, nullptr};
  }
};

}  // namespace detail

/// An array of `size` elements, aligned to a cache line and zeroed. Can be moved, which leaves it empty, but not
/// copied. Throws Error with ErrorCode::no_resources instead of std::bad_alloc if the system has no memory left.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  /// Not inlined: a network has hundreds of Buffers, and this would be most of its loading code.
  [[gnu::noinline]] explicit Buffer(Index size) : size_(size) {
    const auto allocation = detail::Allocation::make(detail::bytes_of(size, sizeof(T)));
    data_ = {static_cast<T*>(allocation.memory), Free{allocation.block}};
  }
  Buffer(Buffer&& other) noexcept : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  ~Buffer() = default;

  [[nodiscard]] T* data() { return data_.get(); }
  [[nodiscard]] const T* data() const { return data_.get(); }
  [[nodiscard]] Index size() const { return size_; }
  [[nodiscard]] std::span<T> span() { return {data(), static_cast<std::size_t>(size_)}; }
  [[nodiscard]] std::span<const T> span() const { return {data(), static_cast<std::size_t>(size_)}; }

 private:
  static_assert(std::is_arithmetic_v<T>, "a Buffer holds numbers");
  struct Free {
    PageBlock* block = nullptr;
    void operator()(T* p) const {
      if (block != nullptr)
        block->release();
      else
        ::operator delete (p, std::align_val_t{alignment});
    }
  };
  std::unique_ptr<T[], Free> data_;
  Index size_ = 0;
};

/// Rounds a number of elements up so that what follows begins on a cache line.
template <class T>
[[nodiscard]] constexpr Index aligned_size(Index elements) {
  constexpr Index line = static_cast<Index>(alignment / sizeof(T));
  return round_up(elements, line);
}

}  // namespace ADTR_ABI
}  // namespace adtr

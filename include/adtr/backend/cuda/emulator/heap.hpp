/// Emulator: stands in for a GPU's memory. The host cannot access it; kernels and copies can.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <type_traits>
#include <vector>

#include "adtr/core/ceil_div.hpp"
#include "adtr/core/extents.hpp"
#include "adtr/core/memory_error.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::emulator {

/// Address space where every access ends the program with SIGSEGV, as a GPU's pointer does on the host, unless an Open
/// exists.
class Heap {
 public:
  static constexpr std::size_t capacity = std::size_t{4} << 30;  ///< of addresses; pages take memory only once accessed

  [[nodiscard]] static Heap& instance() {
    static Heap heap;
    return heap;
  }
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  /// The heap is accessible while an Open exists.
  class Open {
   public:
    Open() { instance().count(1); }
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;
    ~Open() { instance().count(-1); }
  };

  /// Allocates zeroed bytes. Throws Error if the heap is full.
  [[nodiscard]] void* take(std::size_t bytes) {
    void* memory = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (auto& free = free_[bytes]; !free.empty()) {
        memory = free.back();
        free.pop_back();
      } else {
        const std::size_t size = round_up(bytes, page);
        if (size > capacity - used_) adtr::detail::throw_no_memory(bytes);
        memory = begin_ + used_;
        used_ += size;
        if (open_ > 0) protect();
      }
    }
    const Open open;
    std::memset(memory, 0, bytes);
    return memory;
  }
  void give(void* memory, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    free_[bytes].push_back(memory);
  }
  [[nodiscard]] bool contains(const void* address) const {
    const auto* const at = static_cast<const std::byte*>(address);
    return at >= begin_ && at < begin_ + capacity;
  }

 private:
  static constexpr std::size_t page = 4096, step = std::size_t{1} << 21;

  Heap() {
    void* const memory =
        ::mmap(nullptr, capacity + step, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) adtr::detail::throw_no_memory(capacity + step);
    // Every launch changes the protection of all pages. With small pages, that took most of a test's time, so ask for
    // huge pages.
    const std::size_t past = reinterpret_cast<std::uintptr_t>(memory) % step;
    begin_ = static_cast<std::byte*>(memory) + (past == 0 ? 0 : step - past);
    ::madvise(begin_, capacity, MADV_HUGEPAGE);  // only an optimisation: a refusal does no harm
  }
  void count(int change) {
    const std::lock_guard lock(mutex_);
    const bool was = open_ > 0;
    open_ += change;
    if (was != (open_ > 0)) protect();
  }
  void protect() {
    const std::size_t touched = round_up(used_, step);
    if (touched > 0) ::mprotect(begin_, touched, open_ > 0 ? PROT_READ | PROT_WRITE : PROT_NONE);
  }

  std::mutex mutex_;
  std::byte* begin_ = nullptr;
  std::size_t used_ = 0;
  int open_ = 0;
  std::map<std::size_t, std::vector<void*>> free_;
};

/// `size` elements in the heap, initially zero. Movable, not copyable. Mirrors device::DeviceBuffer.
template <class T>
class HeapBuffer {
 public:
  HeapBuffer() = default;
  explicit HeapBuffer(Index size) : size_(size) {
    if (size == 0) return;
    const std::size_t bytes = adtr::detail::bytes_of(size, sizeof(T));
    data_ = {static_cast<T*>(Heap::instance().take(bytes)), Give{bytes}};
  }
  [[nodiscard]] T* data() { return data_.get(); }
  [[nodiscard]] const T* data() const { return data_.get(); }
  [[nodiscard]] Index size() const { return size_; }

 private:
  static_assert(std::is_arithmetic_v<T>, "a HeapBuffer holds numbers");
  struct Give {
    std::size_t bytes = 0;
    void operator()(T* p) const { Heap::instance().give(p, bytes); }
  };
  std::unique_ptr<T[], Give> data_;
  Index size_ = 0;
};

}  // namespace cuda::emulator
}  // namespace ADTR_ABI
}  // namespace adtr

/// Cpu: the memory in which kernels pack blocks. It lies on the heap because a thread may have a small stack.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <thread>

#include "adtr/backend/cpu/kernel_table.hpp"
#include "adtr/core/memory_error.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cpu {

/// Rooms of kernel_room_elements floats, one for each task that runs. All of them are allocated at once, so an
/// operation allocates nothing; a room that no task has used costs address space only.
class KernelRooms {
 public:
  /// Rooms for loops on `threads` threads, and for further user threads that share them. Throws Error if the system has
  /// no memory left.
  explicit KernelRooms(int threads)
      : count_(static_cast<std::size_t>((std::min)(threads, max_threads)) + spare),
        flags_(std::make_unique<Flag[]>(count_)),
        memory_(allocate(count_)) {}

  /// A room that belongs to one task while this object lives.
  class Claim {
   public:
    Claim(float* memory, std::atomic_flag& busy) : memory_(memory), busy_(busy) {}
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim() { busy_.clear(std::memory_order_release); }
    [[nodiscard]] float* data() const { return memory_; }

   private:
    float* memory_;
    std::atomic_flag& busy_;
  };

  /// Returns a free room, and the same one to the same thread where it can: its memory is then in that core's cache. If
  /// all rooms are taken it waits, which is short, because a task does not wait for anything itself.
  [[nodiscard]] Claim claim() {
    static std::atomic<std::size_t> threads_seen{0};
    static thread_local const std::size_t preferred = threads_seen.fetch_add(1, std::memory_order_relaxed);
    for (std::size_t i = preferred % count_, tried = 1;; i = (i + 1) % count_, ++tried) {
      if (!flags_[i].busy.test_and_set(std::memory_order_acquire))
        return {memory_.get() + i * elements, flags_[i].busy};
      if (tried % count_ == 0) std::this_thread::yield();
    }
  }

 private:
  static constexpr int max_threads = 1024;
  static constexpr std::size_t spare = 16;
  static constexpr auto elements = static_cast<std::size_t>(kernel_room_elements);
  static constexpr std::size_t bytes = elements * sizeof(float);
  static constexpr std::align_val_t page{4096};

  struct alignas(64) Flag {  // a cache line each, so that threads do not disturb each other
    std::atomic_flag busy;
  };
  struct Free {
    void operator()(float* memory) const { ::operator delete(memory, page); }
  };

  [[nodiscard]] static float* allocate(std::size_t count) {
    const std::size_t size = count * bytes;
    void* const memory = ::operator new(size, page, std::nothrow);
    if (memory == nullptr) detail::throw_no_memory(size);
    return static_cast<float*>(memory);
  }

  std::size_t count_;
  std::unique_ptr<Flag[]> flags_;
  std::unique_ptr<float[], Free> memory_;
};

}  // namespace cpu
}  // namespace ADTR_ABI
}  // namespace adtr

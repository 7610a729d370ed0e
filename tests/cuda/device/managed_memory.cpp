#include "managed_memory.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <new>

namespace {

/// One block of managed memory, cut into pieces of powers of two, which are used again and never joined.
class Pool {
 public:
  static constexpr std::size_t capacity = std::size_t{2} << 30;  ///< of addresses; only touched pages use memory
  static constexpr std::size_t alignment = 64;

  /// Empty at first, when every piece is null: allocations before `main` use other memory.
  void open(void* memory) { begin_ = next_ = static_cast<std::byte*>(memory); }
  [[nodiscard]] bool is_open() const { return begin_ != nullptr; }
  [[nodiscard]] bool contains(const void* address) const {
    const auto* const at = static_cast<const std::byte*>(address);
    return is_open() && at >= begin_ && at < begin_ + capacity;
  }

  /// Returns null if there is no room.
  [[nodiscard]] void* take(std::size_t bytes) {
    if (bytes > capacity / 2) return nullptr;
    const std::size_t size = std::bit_ceil(std::max(bytes + sizeof(Header), 2 * sizeof(Header)));
    const auto number = static_cast<std::size_t>(std::countr_zero(size));
    const std::lock_guard lock(mutex_);
    if (Header* const piece = free_[number]; piece != nullptr) {
      free_[number] = piece->next;
      return piece + 1;
    }
    if (size > static_cast<std::size_t>(begin_ + capacity - next_)) return nullptr;
    auto* const piece = new (next_) Header{number, nullptr};
    next_ += size;
    return piece + 1;
  }
  void give(void* memory) {
    Header* const piece = static_cast<Header*>(memory) - 1;
    const std::lock_guard lock(mutex_);
    piece->next = free_[piece->number];
    free_[piece->number] = piece;
  }

 private:
  /// The header of each piece: its power of two, and the next free piece.
  struct alignas(alignment) Header {
    std::size_t number;
    Header* next;
  };
  std::mutex mutex_;
  std::byte* begin_ = nullptr;
  std::byte* next_ = nullptr;
  std::array<Header*, 64> free_{};
};

constinit Pool pool;
int exit_status = EXIT_FAILURE;

void* allocate(std::size_t size, std::size_t alignment) noexcept {
  if (alignment <= Pool::alignment && pool.is_open()) return pool.take(size);
  return std::aligned_alloc(alignment, (std::max(size, std::size_t{1}) + alignment - 1) / alignment * alignment);
}
void* allocate(std::size_t size) noexcept { return allocate(size, alignof(std::max_align_t)); }
void* allocate(std::size_t size, std::align_val_t a) noexcept { return allocate(size, static_cast<std::size_t>(a)); }

void* or_throw(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void release(void* memory) noexcept { pool.contains(memory) ? pool.give(memory) : std::free(memory); }

std::string failure(const char* call, cudaError_t code) {
  return std::string(call) + " failed (" + cudaGetErrorName(code) + ")";
}

}  // namespace

void* operator new(std::size_t size) { return or_throw(allocate(size)); }
void* operator new[](std::size_t size) { return or_throw(allocate(size)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new(std::size_t size, std::align_val_t a) { return or_throw(allocate(size, a)); }
void* operator new[](std::size_t size, std::align_val_t a) { return or_throw(allocate(size, a)); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

std::string managed_memory::begin() {
  int device = 0, concurrent = 0;
  if (const cudaError_t code = cudaGetDevice(&device); code != cudaSuccess) return failure("cudaGetDevice", code);
  if (const cudaError_t code = cudaDeviceGetAttribute(&concurrent, cudaDevAttrConcurrentManagedAccess, device);
      code != cudaSuccess)
    return failure("cudaDeviceGetAttribute", code);
  if (concurrent != 1) return "the host cannot touch managed memory of this GPU at any time";
  void* memory = nullptr;
  if (const cudaError_t code = cudaMallocManaged(&memory, Pool::capacity); code != cudaSuccess)
    return failure("cudaMallocManaged", code);
  // Registered after the driver's own handler, so that it runs before that one, and after the tests' objects are
  // destroyed.
  std::atexit([] {
    std::fflush(nullptr);
    static_cast<void>(cudaDeviceReset());  // so that profilers and sanitizers get all their data
    std::_Exit(exit_status);
  });
  pool.open(memory);
  return "";
}

void managed_memory::set_exit_status(int status) { exit_status = status; }

/// Memory that is mapped straight from the operating system. Large Buffers and Buffers made together lie in it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "adtr/core/abi.hpp"
#include "adtr/core/ceil_div.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

// The address sanitizer detects an overflow only between its own allocations.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADTR_PAGE_BLOCKS 0
#endif
#endif
#if !defined(ADTR_PAGE_BLOCKS)
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
#define ADTR_PAGE_BLOCKS 1
#else
#define ADTR_PAGE_BLOCKS 0
#endif
#endif

namespace adtr {
inline namespace ADTR_ABI {

/// The size in bytes of a cache line and of the widest vector of any instruction set. It is the same on every machine,
/// so that layouts are too.
inline constexpr std::size_t alignment = 64;

/// Zeroed memory that is handed out in order and is unmapped when its last owner releases it. Pages that are never
/// touched cost nothing. A block of 2 MB or more asks for huge pages, which cause 512 times fewer page faults.
class PageBlock {
 public:
  /// The size in bytes of a huge page.
  static constexpr std::size_t huge = std::size_t{1} << 21;

  /// Returns a block with room for `bytes` and with one owner, or null if the system has no memory.
  [[nodiscard]] static PageBlock* map(std::size_t bytes) {
#if ADTR_PAGE_BLOCKS
    const std::size_t margin = bytes >= huge ? huge : 0;
    std::size_t size = 0;
    if (__builtin_add_overflow(bytes, sizeof(PageBlock) + margin + page(), &size)) return nullptr;
    size = size / page() * page();
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    auto* begin = static_cast<std::byte*>(memory);
    if (margin > 0) {
      const std::size_t head = (huge - reinterpret_cast<std::uintptr_t>(begin) % huge) % huge;
      if (head > 0) ::munmap(begin, head);
      begin += head;
      size -= head;
      ::madvise(begin, size, MADV_HUGEPAGE);  // a hint: ignore errors
    }
    return new (begin) PageBlock(size);
#else
    static_cast<void>(bytes);
    return nullptr;
#endif
  }

  /// Returns the next `bytes` of the block, aligned to a cache line, and adds an owner. Null if there is no room.
  [[nodiscard]] void* cut(std::size_t bytes) {
    if (bytes > size_ - used_) return nullptr;
    void* const memory = reinterpret_cast<std::byte*>(this) + used_;
    used_ += bytes;
    used_ += (alignment - used_ % alignment) % alignment;
    if (used_ > size_) used_ = size_;
    owners_.fetch_add(1, std::memory_order_relaxed);
    return memory;
  }

  /// Unmaps the pages that have not been handed out.
  void trim() {
#if ADTR_PAGE_BLOCKS
    const std::size_t kept = round_up(used_, page());
    if (kept < size_ && ::munmap(reinterpret_cast<std::byte*>(this) + kept, size_ - kept) == 0) size_ = kept;
#endif
  }

  /// Removes an owner; the last one unmaps the block.
  void release() {
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
#if ADTR_PAGE_BLOCKS
    ::munmap(static_cast<void*>(this), size_);
#endif
  }

 private:
  explicit PageBlock(std::size_t size) : size_(size) {}

  static std::size_t page() {
#if ADTR_PAGE_BLOCKS
    static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return size;
#else
    return 1;
#endif
  }

  std::atomic<std::size_t> owners_{1};
  std::size_t size_;  ///< includes this object, which lies at the beginning of the block
  std::size_t used_ = alignment;
};
static_assert(sizeof(PageBlock) <= alignment);

/// While it lives, the Buffers that its thread makes lie one after another in one block of up to `bytes`. Buffers that
/// no longer fit are allocated one by one, as all Buffers are if `bytes` is 0. The block is unmapped with the last of
/// its Buffers.
class BuffersTogether {
 public:
  explicit BuffersTogether(std::size_t bytes) : outer_(current_), block_(bytes == 0 ? nullptr : PageBlock::map(bytes)) {
    current_ = block_;
  }
  BuffersTogether(const BuffersTogether&) = delete;
  BuffersTogether& operator=(const BuffersTogether&) = delete;
  ~BuffersTogether() {
    current_ = outer_;
    if (block_ == nullptr) return;
    block_->trim();
    block_->release();
  }

  /// The block that this thread's Buffers are cut from, or null.
  [[nodiscard]] static PageBlock* current() { return current_; }

 private:
  inline static thread_local PageBlock* current_ = nullptr;
  PageBlock* outer_;
  PageBlock* block_;
};

}  // namespace ADTR_ABI
}  // namespace adtr

#undef ADTR_PAGE_BLOCKS

/// Out-of-memory errors that say how much memory was requested, and for what.
#pragma once

#include <cstddef>
#include <cstdio>
#include <limits>
#include <string>

#include "adtr/core/error.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// While it lives, out-of-memory Errors of its thread name the purpose of the memory, such as "the weights of the
/// backbone". The text must outlive the object; the innermost object counts.
class MemoryFor {
 public:
  explicit MemoryFor(const char* purpose) : outer_(current_) { current_ = purpose; }
  MemoryFor(const MemoryFor&) = delete;
  MemoryFor& operator=(const MemoryFor&) = delete;
  ~MemoryFor() { current_ = outer_; }

  /// The purpose in the calling thread; null if none is set.
  [[nodiscard]] static const char* current() { return current_; }

 private:
  inline static thread_local const char* current_ = nullptr;
  const char* outer_;
};

namespace detail {

/// A number of bytes for people: `640 bytes`, `12.5 MiB`.
[[nodiscard]] inline std::string size_text(std::size_t bytes) {
  constexpr std::size_t mebibyte = std::size_t{1} << 20;
  if (bytes < mebibyte) return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / static_cast<double>(mebibyte));
  return text;
}

/// ` for the weights of the backbone`, or nothing if no purpose is set.
[[nodiscard]] inline std::string purpose_text() {
  const char* const purpose = MemoryFor::current();
  return purpose == nullptr ? std::string() : std::string(" for ") + purpose;
}

/// Not inlined: it is rare, and a network has hundreds of Buffers.
[[noreturn, gnu::noinline]] inline void throw_no_memory(std::size_t bytes) {
  throw Error("out of memory: the system refused " + size_text(bytes) + purpose_text(), ErrorCode::no_resources);
}

/// The size of `count` elements of `each` bytes. Throws Error on overflow.
[[nodiscard]] inline std::size_t bytes_of(std::ptrdiff_t count, std::size_t each) {
  constexpr auto max_bytes = static_cast<std::size_t>((std::numeric_limits<std::ptrdiff_t>::max)());
  if (count < 0 || static_cast<std::size_t>(count) > max_bytes / each)
    throw Error("out of memory: " + std::to_string(count) + " elements of " + size_text(each) + " were requested" +
                    purpose_text() + ", which is more than a computer can address",
                ErrorCode::no_resources);
  return static_cast<std::size_t>(count) * each;
}

}  // namespace detail

}  // namespace ADTR_ABI
}  // namespace adtr

/// Emulator: what a kernel is stopped for.
#pragma once

#include <cstdio>
#include <cstring>
#include <string>

#include "adtr/backend/cuda/execution.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::emulator {

enum class FaultKind : std::uint8_t {
  launch,         ///< a grid, block or amount of shared memory that no GPU takes
  out_of_bounds,  ///< an index outside its vector, matrix, map or shared array
  misaligned,     ///< a Quad that does not begin on four elements
  host_memory,    ///< an address that is not the GPU's
  race,           ///< two threads at one address between two barriers, one of them writing
  uninitialised,  ///< a read of shared memory that no thread of the block has written
  divergence,     ///< threads of a block at different barriers, or lanes of a warp at different exchanges
  stack           ///< frames beyond a fibre's stack
};

/// Which memory kernels may touch: a GPU's own alone, or for tests of single kernels the program's too.
enum class Access : std::uint8_t { any, device };

/// A line of source. (clang 14 has no std::source_location.)
struct Line {
  const char* file = "";
  unsigned number = 0;

  /// As a default argument: the line of the call.
  [[nodiscard]] static constexpr Line here(const char* file = __builtin_FILE(), unsigned number = __builtin_LINE()) {
    return {file, number};
  }
  friend bool operator==(const Line&, const Line&) = default;

  /// The file, without its folders, and the number.
  [[nodiscard]] std::string text() const {
    const char* const slash = std::strrchr(file, '/');
    return std::string(slash == nullptr ? file : slash + 1) + ":" + std::to_string(number);
  }
};

/// Where in a launch something happened.
struct Where {
  const char* kernel = "";
  Grid block{};
  int thread = 0;
  Line line;

  /// `kernel product, block (0, 1, 0), thread 37, product.cuh:12`
  [[nodiscard]] std::string text() const {
    return "kernel " + std::string(kernel) + ", block (" + std::to_string(block.x) + ", " + std::to_string(block.y) +
           ", " + std::to_string(block.z) + "), thread " + std::to_string(thread) + ", " + line.text();
  }
};

/// Stops a launch. what() is one sentence with the kernel, the block, the thread, the line of source and the address.
class Fault : public Error {
 public:
  Fault(FaultKind kind, const Where& where, const std::string& sentence)
      : Error(where.text() + ": " + sentence), kind_(kind), where_(where) {}

  [[nodiscard]] FaultKind kind() const { return kind_; }
  [[nodiscard]] const Where& where() const { return where_; }

 private:
  FaultKind kind_;
  Where where_;
};

[[nodiscard]] inline std::string hexadecimal(const void* address) {
  char text[32];
  std::snprintf(text, sizeof text, "%p", address);
  return text;
}

}  // namespace cuda::emulator
}  // namespace ADTR_ABI
}  // namespace adtr

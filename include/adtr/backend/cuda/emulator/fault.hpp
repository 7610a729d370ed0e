/// Emulator: the faults that stop a kernel.
#pragma once

#include <cstdio>
#include <cstring>
#include <string>

#include "adtr/backend/cuda/execution.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::emulator {

enum class FaultKind : std::uint8_t {
  launch,         ///< a grid, block or shared memory that no GPU accepts
  out_of_bounds,  ///< an index outside its vector, matrix, map or shared array
  misaligned,     ///< a Quad that does not begin on four elements
  host_memory,    ///< an address outside the GPU's memory
  race,           ///< two threads access one address without a barrier between, and at least one of them writes
  uninitialised,  ///< a read of shared memory that no thread of the block has written
  divergence,     ///< threads of a block at different barriers, or lanes of a warp at different exchanges
  stack           ///< stack frames that do not fit on a fibre's stack
};

/// Which memory kernels may access: only the GPU's, or, in tests of single kernels, also the host's.
enum class Access : std::uint8_t { any, device };

/// A line of source code. (clang 14 has no std::source_location.)
struct Line {
  const char* file = "";
  unsigned number = 0;

  /// As a default argument, gives the line of the call.
  [[nodiscard]] static constexpr Line here(const char* file = __builtin_FILE(), unsigned number = __builtin_LINE()) {
    return {file, number};
  }
  friend bool operator==(const Line&, const Line&) = default;

  /// `file:number`, with the file name without its folders.
  [[nodiscard]] std::string text() const {
    const char* const slash = std::strrchr(file, '/');
    return std::string(slash == nullptr ? file : slash + 1) + ":" + std::to_string(number);
  }
};

/// The place in a launch where something happened.
struct Where {
  const char* kernel = "";
  Grid block{};
  int thread = 0;
  Line line;

  /// `kernel multiply, block (0, 1, 0), thread 37, gemm.cuh:12`
  [[nodiscard]] std::string text() const {
    return "kernel " + std::string(kernel) + ", block (" + std::to_string(block.x) + ", " + std::to_string(block.y) +
           ", " + std::to_string(block.z) + "), thread " + std::to_string(thread) + ", " + line.text();
  }
};

/// Stops a launch. what() is one sentence with the kernel, block, thread and source line and, if there is one, the
/// address.
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

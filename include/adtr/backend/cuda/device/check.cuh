/// CUDA: turns errors of the CUDA runtime into exceptions.
#pragma once

#include <cuda_runtime.h>

#include <cstring>
#include <string>

#include "adtr/core/error.hpp"
#include "adtr/core/memory_error.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::device {

/// A failed call of the CUDA runtime: what() has the call, the line and CUDA's message. code() is no_resources if the
/// GPU is out of memory; cuda_code() is CUDA's own error code.
class CudaError : public Error {
 public:
  CudaError(cudaError_t code, const std::string& call, const char* file, unsigned line)
      : Error(describe(code, call, file, line),
              code == cudaErrorMemoryAllocation ? ErrorCode::no_resources : ErrorCode::other),
        cuda_code_(code) {}
  [[nodiscard]] cudaError_t cuda_code() const { return cuda_code_; }

 private:
  [[nodiscard]] static std::string describe(cudaError_t code, const std::string& call, const char* file,
                                            unsigned line) {
    const char* const slash = std::strrchr(file, '/');
    return call + " failed at " + (slash == nullptr ? file : slash + 1) + ":" + std::to_string(line) + ": " +
           cudaGetErrorName(code) + ", " + cudaGetErrorString(code) + ".";
  }
  cudaError_t cuda_code_;
};

/// Throws CudaError if a call failed: check(cudaCall(…), "cudaCall"). The error has the line of the check.
inline void check(cudaError_t code, const char* call, const char* file = __builtin_FILE(),
                  unsigned line = __builtin_LINE()) {
  if (code == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());  // clears the error, or the next launch would report it
  throw CudaError(code, call, file, line);
}

/// Checks a call that allocates memory: the error also says how much was requested, and for what.
inline void check_memory(cudaError_t code, const char* call, std::size_t bytes, const char* file = __builtin_FILE(),
                         unsigned line = __builtin_LINE()) {
  if (code == cudaSuccess) return;
  const std::string what = std::string(call) + " of " + adtr::detail::size_text(bytes) + adtr::detail::purpose_text();
  check(code, what.c_str(), file, line);
}

}  // namespace cuda::device
}  // namespace ADTR_ABI
}  // namespace adtr

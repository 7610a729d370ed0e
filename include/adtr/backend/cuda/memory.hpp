/// CUDA: memory of the GPU's own, for any runtime.
#pragma once

#include "adtr/core/view.hpp"

namespace adtr::inline ADTR_ABI::cuda {

template <class Runtime>
struct DeviceMemory {
  using Context = typename Runtime::Context;
  using Memory = typename Runtime::template Memory<float>;
  static constexpr bool on_host = false;

  static void copy(const Context& context, MatrixView<const float> x, MatrixView<float> y) { context.copy(x, y); }
  static void zero(const Context& context, float* x, Index n) { context.zero(x, n); }
  /// Returns when the host's memory is free to change.
  static void upload(const Context& context, const float* host, Index n, float* memory) {
    context.upload(host, n, memory);
  }
  /// Waits for what was asked for before, and for the numbers.
  static void download(const Context& context, const float* memory, Index n, float* host) {
    context.download(memory, n, host);
  }
};

}  // namespace adtr::inline ADTR_ABI::cuda

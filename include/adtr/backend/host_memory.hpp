/// Memory of backends that run on the host: the program's own memory.
#pragma once

#include <algorithm>

#include "adtr/core/buffer.hpp"
#include "adtr/core/view.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Base class of such a backend. Transfers are copies, and waiting does nothing because operations are synchronous.
template <class T>
struct HostMemory {
  using Memory = Buffer<T>;
  using Sums = Buffer<double>;
  using Staging = Memory;  ///< host memory for transfers
  struct Event {};
  static constexpr bool on_host = true;

  /// Runs a sequence of operations that is repeated with the same arguments. A GPU backend records it and launches it
  /// as a whole; here it just runs.
  struct Recording {
    /// `key` identifies the sequence.
    template <class Context, class F>
    void run(const Context&, Index /*key*/, F&& operations) {
      operations();
    }
  };

  template <class Context>
  static void copy(const Context&, MatrixView<const T> x, MatrixView<T> y) {
    if (x.stride == x.cols && y.stride == y.cols)
      std::copy_n(x.data, x.rows * x.cols, y.data);
    else
      for (Index r = 0; r < x.rows; ++r) std::copy_n(x.row(r), x.cols, y.row(r));
  }
  template <class Context, class U>
  static void zero(const Context&, U* x, Index n) {
    std::fill_n(x, n, U{});
  }
  template <class Context>
  static void upload(const Context&, const T* host, Index n, T* memory) {
    std::copy_n(host, n, memory);
  }
  template <class Context, class U>
  static void download(const Context&, const U* memory, Index n, U* host) {
    std::copy_n(memory, n, host);
  }
  template <class Context>
  static void wait(const Context&) {}
  template <class Context>
  static void record(const Context&, Event&) {}
  template <class Context>
  static void wait(const Context&, const Event&) {}
};

}  // namespace ADTR_ABI
}  // namespace adtr

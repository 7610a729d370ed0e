/// Emulator: where kernels are launched, and the memory that they work on.
#pragma once

#include <algorithm>
#include <tuple>

#include "adtr/backend/cuda/emulator/heap.hpp"
#include "adtr/backend/cuda/emulator/thread.hpp"

namespace adtr::inline ADTR_ABI::cuda::emulator {

/// Takes a number where a GPU's context takes none: the order in which blocks and threads have their turns.
class Context {
 public:
  explicit Context(int order = 1, Access access = Access::any) : order_{order < 1 ? 1 : order}, access_(access) {}

  /// Runs Kernel::run in every thread of `grid`. Throws Fault.
  template <class Kernel, class... Arguments>
  void launch(Grid grid, const Arguments&... arguments) const {
    auto body = [&](int thread) {
      Thread cx(Block::current(), thread);
      Kernel::run(cx, arguments...);
    };
    const Heap::Open open;
    Block::current().run(
        Kernel::name, grid, Kernel::threads, order_, access_,
        [](void* launch, int thread) { (*static_cast<decltype(body)*>(launch))(thread); }, &body);
  }

  /// `parts` numbers for sums that take two launches.
  [[nodiscard]] VectorView<double> partial_sums() const {
    thread_local HeapBuffer<double> sums(parts);
    return {sums.data(), parts};
  }
  /// A number that a kernel has written.
  [[nodiscard]] double read(const double* number) const {
    const Heap::Open open;
    return *number;
  }

  void copy(MatrixView<const float> x, MatrixView<float> y) const {
    const Heap::Open open;
    for (Index r = 0; r < x.rows; ++r) std::copy_n(x.row(r), x.cols, y.row(r));
  }
  void zero(float* x, Index n) const {
    const Heap::Open open;
    std::fill_n(x, n, 0.0F);
  }
  void upload(const float* host, Index n, float* memory) const { transfer(host, n, memory); }
  void download(const float* memory, Index n, float* host) const { transfer(memory, n, host); }

  /// Few, so that tests meet both sizes of tiles.
  [[nodiscard]] static Index multiprocessors() { return 2; }

  static constexpr Index parts = 128;

 private:
  static void transfer(const float* from, Index n, float* to) {
    const Heap::Open open;
    std::copy_n(from, n, to);
  }

  Order order_;
  Access access_;
};

struct Runtime {
  using Context = emulator::Context;
  template <class T>
  using Memory = HeapBuffer<T>;
};

}  // namespace adtr::inline ADTR_ABI::cuda::emulator

/// Emulator: where kernels are launched, and the memory that they work on.
#pragma once

#include <tuple>

#include "adtr/backend/cuda/emulator/thread.hpp"
#include "adtr/core/buffer.hpp"

namespace adtr::inline ADTR_ABI::cuda::emulator {

/// Takes a number where a GPU's context takes none: the order in which blocks and threads have their turns. It may be
/// of a GPU without tensor cores.
class Context {
 public:
  explicit Context(int order = 1, Precision precision = Precision::float32, bool tensor_cores = true)
      : order_{order < 1 ? 1 : order}, precision_(precision), tensor_cores_(tensor_cores) {}

  /// Runs Kernel::run in every thread of `grid`. Throws Fault.
  template <class Kernel, class... Arguments>
  void launch(Grid grid, const Arguments&... arguments) const {
    auto body = [&](int thread) {
      Thread cx(Block::current(), thread);
      Kernel::run(cx, arguments...);
    };
    Block::current().run(
        Kernel::name, grid, Kernel::threads, order_,
        [](void* launch, int thread) { (*static_cast<decltype(body)*>(launch))(thread); }, &body);
  }

  /// `parts` numbers for sums that take two launches.
  [[nodiscard]] VectorView<double> partial_sums() const {
    thread_local Buffer<double> sums(parts);
    return {sums.data(), parts};
  }
  /// A number that a kernel has written.
  [[nodiscard]] double read(const double* number) const { return *number; }

  /// Few, so that tests meet both sizes of tiles.
  [[nodiscard]] static Index multiprocessors() { return 2; }
  [[nodiscard]] bool tensor_cores() const { return tensor_cores_; }
  [[nodiscard]] Precision precision() const { return precision_; }

  static constexpr Index parts = 128;

 private:
  Order order_;
  Precision precision_;
  bool tensor_cores_;
};

struct Runtime {
  using Context = emulator::Context;
  template <class T>
  using Memory = Buffer<T>;
};

}  // namespace adtr::inline ADTR_ABI::cuda::emulator

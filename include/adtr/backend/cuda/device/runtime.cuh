/// CUDA: launches kernels on a GPU, and provides the memory that they work on.
#pragma once

#include "adtr/backend/cuda/device/graph.cuh"
#include "adtr/backend/cuda/device/memory.cuh"
#include "adtr/backend/cuda/device/thread.cuh"
#include "adtr/parallel/processors.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::device {

/// The number of blocks that must fit on a multiprocessor; 0 leaves the choice to the compiler.
template <class Kernel>
constexpr int min_blocks = 0;
template <class Kernel>
requires requires { Kernel::min_blocks; }
constexpr int min_blocks<Kernel> = Kernel::min_blocks;

/// The function that runs on the GPU: calls Kernel::run in every thread.
template <class Kernel, class... Arguments>
__global__ void __launch_bounds__(Kernel::threads, min_blocks<Kernel>) run(Arguments... arguments) {
  Thread cx;
  Kernel::run(cx, arguments...);
}

/// An empty kernel, whose attributes tell which architecture this GPU's code was compiled for.
struct Nothing {
  static constexpr int threads = warp;
  ADTR_DEVICE static void run(const Thread& /*cx*/) {}
};

/// A handle to a stream of the GPU that is current at construction. Copies share the stream. Operations on a Context
/// run one after the other, and return before they are done. Moving a Context copies it, so that none is ever without
/// a stream.
class Context {
 public:
  /// `threads` is for other backends and is ignored here, but a negative number throws Error.
  explicit Context(int threads = 0, Precision precision = Precision::float32) : precision_(precision) {
    check_threads(threads);
    state_ = std::make_shared<State>();
  }
  Context(const Context&) = default;
  Context& operator=(const Context&) = default;
  ~Context() = default;

  /// Launches Kernel::run in every thread of `grid`. A faulty launch throws here, a faulty kernel at the next wait.
  template <class Kernel, class... Arguments>
  void launch(Grid grid, const Arguments&... arguments) const {
    const dim3 blocks(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y), static_cast<unsigned>(grid.z));
    run<Kernel, Arguments...><<<blocks, Kernel::threads, 0, stream().get()>>>(arguments...);
    if (const cudaError_t code = cudaGetLastError(); code != cudaSuccess)
      throw CudaError(code, "launch of kernel " + std::string(Kernel::name), __FILE__, __LINE__);
  }

  /// Scratch of `parts` elements for sums that take two launches.
  [[nodiscard]] VectorView<double> partial_sums() const { return {state_->sums.data(), parts}; }
  void copy(MatrixView<const float> x, MatrixView<float> y) const {
    const auto bytes = [](Index n) { return static_cast<std::size_t>(n) * sizeof(float); };
    check(cudaMemcpy2DAsync(y.data, bytes(y.stride), x.data, bytes(x.stride), bytes(x.cols),
                            static_cast<std::size_t>(x.rows), cudaMemcpyDeviceToDevice, stream().get()),
          "cudaMemcpy2DAsync");
  }
  template <class T>
  void zero(T* x, Index n) const {
    check(cudaMemsetAsync(x, 0, static_cast<std::size_t>(n) * sizeof(T), stream().get()), "cudaMemsetAsync");
  }
  void upload(const float* host, Index n, float* memory) const { transfer(host, n, memory, cudaMemcpyHostToDevice); }
  template <class T>
  void download(const T* memory, Index n, T* host) const {
    transfer(memory, n, host, cudaMemcpyDeviceToHost);
  }
  void wait() const { stream().wait(); }
  void record(Event& event) const { event.record(stream()); }
  void wait(const Event& event) const { event.wait(); }

  /// Records as a graph what `operations` issues to this context, without running it.
  template <class F>
  [[nodiscard]] Graph record(F&& operations) const {
    return Graph(stream(), operations);
  }
  void replay(const Graph& graph) const { check(cudaGraphLaunch(graph.get(), stream().get()), "cudaGraphLaunch"); }
  [[nodiscard]] Index multiprocessors() const { return state_->multiprocessors; }
  /// Whether kernels may use tensor cores: they must be compiled for compute capability 8.0 or later.
  [[nodiscard]] bool tensor_cores() const { return state_->virtual_architecture >= 80; }
  [[nodiscard]] Precision precision() const { return precision_; }
  [[nodiscard]] const Stream& stream() const { return state_->stream; }

  static constexpr Index parts = 128;

 private:
  template <class T>
  void transfer(const T* from, Index n, T* to, cudaMemcpyKind kind) const {
    check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(n) * sizeof(T), kind, stream().get()), "cudaMemcpyAsync");
  }

  struct State {
    Stream stream;
    DeviceBuffer<double> sums{parts};
    int multiprocessors = count();
    int virtual_architecture = compiled_for();

    [[nodiscard]] static int count() {
      int device = 0, count = 0;
      check(cudaGetDevice(&device), "cudaGetDevice");
      check(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device), "cudaDeviceGetAttribute");
      return count;
    }
    /// The architecture that the running code was compiled for, which may be older than the GPU's compute capability.
    [[nodiscard]] static int compiled_for() {
      cudaFuncAttributes attributes{};
      check(cudaFuncGetAttributes(&attributes, run<Nothing>), "cudaFuncGetAttributes");
      return attributes.ptxVersion;
    }
  };
  std::shared_ptr<State> state_;
  Precision precision_;
};

struct Runtime {
  using Context = device::Context;
  using Graph = device::Graph;
  using Event = device::Event;
  using Staging = PinnedBuffer;
  template <class T>
  using Memory = DeviceBuffer<T>;
};

}  // namespace cuda::device
}  // namespace ADTR_ABI
}  // namespace adtr

/// CUDA: a sequence of kernels and copies that is launched as a whole.
#pragma once

#include "adtr/backend/cuda/device/memory.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::device {

/// The operations that were issued to a stream during a recording. They can run any number of times on the same memory.
class Graph {
 public:
  Graph() = default;

  /// Records what `operations` issues to the stream, without running it. Throws CudaError if it waits for the GPU.
  template <class F>
  Graph(const Stream& stream, F&& operations) {
    check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    cudaGraph_t recorded = nullptr;
    try {
      operations();
    } catch (...) {
      static_cast<void>(cudaStreamEndCapture(stream.get(), &recorded));
      if (recorded != nullptr) static_cast<void>(cudaGraphDestroy(recorded));
      static_cast<void>(cudaGetLastError());  // clears the error, as in check()
      throw;
    }
    check(cudaStreamEndCapture(stream.get(), &recorded), "cudaStreamEndCapture");
    cudaGraphExec_t graph = nullptr;
    const cudaError_t code = cudaGraphInstantiate(&graph, recorded, 0);
    static_cast<void>(cudaGraphDestroy(recorded));
    check(code, "cudaGraphInstantiate");
    graph_.reset(graph);
  }

  [[nodiscard]] bool recorded() const { return graph_ != nullptr; }
  [[nodiscard]] cudaGraphExec_t get() const { return graph_.get(); }

 private:
  struct Destroy {
    void operator()(cudaGraphExec_t graph) const { static_cast<void>(cudaGraphExecDestroy(graph)); }
  };
  std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, Destroy> graph_;
};

}  // namespace cuda::device
}  // namespace ADTR_ABI
}  // namespace adtr

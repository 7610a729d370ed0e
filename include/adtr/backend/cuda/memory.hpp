/// CUDA: memory of the GPU, and recorded operations, for any runtime (GPU or emulator).
#pragma once

#include <map>
#include <utility>

#include "adtr/core/view.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda {

template <class Runtime>
struct DeviceMemory {
  using Context = typename Runtime::Context;
  using Memory = typename Runtime::template Memory<float>;
  using Sums = typename Runtime::template Memory<double>;
  using Staging = typename Runtime::Staging;
  using Event = typename Runtime::Event;
  static constexpr bool on_host = false;

  /// Sequences of operations that are recorded as graphs and replayed.
  class Recording {
   public:
    /// Runs `operations`, which must not wait for the GPU. The first call for a key issues them one by one, so that
    /// whatever they create on their first run exists afterwards. The second call records and replays them; later calls
    /// only replay the record.
    template <class F>
    void run(const Context& context, Index key, F&& operations) {
      const auto [it, first] = graphs_.try_emplace(key);
      if (first) return operations();
      if (!it->second.recorded()) it->second = context.record(operations);
      context.replay(it->second);
    }

   private:
    std::map<Index, typename Runtime::Graph> graphs_;
  };

  static void copy(const Context& context, MatrixView<const float> x, MatrixView<float> y) { context.copy(x, y); }
  template <class T>
  static void zero(const Context& context, T* x, Index n) {
    context.zero(x, n);
  }
  static void upload(const Context& context, const float* host, Index n, float* memory) {
    context.upload(host, n, memory);
  }
  template <class T>
  static void download(const Context& context, const T* memory, Index n, T* host) {
    context.download(memory, n, host);
  }
  static void wait(const Context& context) { context.wait(); }
  static void record(const Context& context, Event& event) { context.record(event); }
  static void wait(const Context& context, const Event& event) { context.wait(event); }
};

}  // namespace cuda
}  // namespace ADTR_ABI
}  // namespace adtr

/// Emulator: launches kernels, and provides the memory that they work on.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "adtr/backend/cuda/emulator/heap.hpp"
#include "adtr/backend/cuda/emulator/thread.hpp"
#include "adtr/core/buffer.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::emulator {

/// The operations that were issued to a context during a recording, with their arguments of that time.
class Graph {
 public:
  [[nodiscard]] bool recorded() const { return !operations_.empty(); }
  void add(std::function<void()> operation) { operations_.push_back(std::move(operation)); }
  void run() const {
    const Heap::Open open;
    for (const auto& operation : operations_) operation();
  }

 private:
  std::vector<std::function<void()>> operations_;
};

/// When operations run: at once, which is easier to debug, or when the host waits, the latest that a GPU may run them.
enum class Pace { at_once, late };

/// An event: the number of late operations that were issued before it.
struct Event {
  Index asked = 0;
};

/// `order` sets the order in which blocks and threads take their turns, and replaces the number of threads that
/// device::Context ignores. Without `tensor_cores`, emulates a GPU that has none.
class Context {
 public:
  explicit Context(int order = 1, Precision precision = Precision::float32, bool tensor_cores = true,
                   Access access = Access::any, Pace pace = Pace::at_once)
      : order_{order < 1 ? 1 : order},
        access_(access),
        pace_(pace),
        precision_(precision),
        tensor_cores_(tensor_cores) {}
  Context(int order, Access access, Pace pace = Pace::at_once)
      : Context(order, Precision::float32, true, access, pace) {}
  // Moving copies, as in device::Context.
  Context(const Context&) = default;
  Context& operator=(const Context&) = default;
  ~Context() = default;

  /// Runs Kernel::run in every thread of `grid`. Throws Fault when it runs.
  template <class Kernel, class... Arguments>
  void launch(Grid grid, const Arguments&... arguments) const {
    perform([grid, order = order_, access = access_, arguments...] {
      auto body = [&](int thread) {
        Thread cx(Block::current(), thread);
        Kernel::run(cx, arguments...);
      };
      Block::current().run(
          Kernel::name, grid, Kernel::threads, order, access,
          [](void* launch, int thread) { (*static_cast<decltype(body)*>(launch))(thread); }, &body);
    });
  }

  /// Scratch of `parts` elements for sums that take two launches.
  [[nodiscard]] VectorView<double> partial_sums() const {
    thread_local HeapBuffer<double> sums(parts);
    return {sums.data(), parts};
  }

  void copy(MatrixView<const float> x, MatrixView<float> y) const {
    perform([x, y] {
      for (Index r = 0; r < x.rows; ++r) std::copy_n(x.row(r), x.cols, y.row(r));
    });
  }
  template <class T>
  void zero(T* x, Index n) const {
    perform([x, n] { std::fill_n(x, n, T{}); });
  }
  void upload(const float* host, Index n, float* memory) const { transfer(host, n, memory); }
  template <class T>
  void download(const T* memory, Index n, T* host) const {
    transfer(memory, n, host);
  }

  /// Throws Error during a recording, because a GPU would not have run anything yet.
  void wait() const { wait({state_->asked}); }
  void record(Event& event) const { event = {state_->asked}; }
  void wait(const Event& event) const {
    if (state_->recording != nullptr) throw Error("the host waits for the GPU while operations are being recorded.");
    const Heap::Open open;
    for (; state_->done < event.asked; ++state_->done) {
      const auto operation = std::move(state_->late.front());
      state_->late.pop_front();
      operation();
    }
  }
  /// The number of late operations that have not run yet.
  [[nodiscard]] Index waiting() const { return state_->asked - state_->done; }
  [[nodiscard]] Graph record(const std::function<void()>& operations) const {
    Graph graph;
    state_->recording = &graph;
    try {
      operations();
    } catch (...) {
      state_->recording = nullptr;
      throw;
    }
    state_->recording = nullptr;
    return graph;
  }
  void replay(const Graph& graph) const {
    perform([graph] { graph.run(); });
  }

  /// Low, so that tests use both sizes of tiles.
  [[nodiscard]] static Index multiprocessors() { return 2; }
  [[nodiscard]] bool tensor_cores() const { return tensor_cores_; }
  [[nodiscard]] Precision precision() const { return precision_; }

  static constexpr Index parts = 128;

 private:
  /// Runs the operation now or late or, during a recording, adds it to the graph.
  template <class F>
  void perform(F&& operation) const {
    if (state_->recording != nullptr) return state_->recording->add(operation);
    if (pace_ == Pace::late) {
      state_->late.emplace_back(operation);
      ++state_->asked;
      return;
    }
    const Heap::Open open;
    operation();
  }
  template <class T>
  void transfer(const T* from, Index n, T* to) const {
    perform([from, n, to] { std::copy_n(from, n, to); });
  }

  struct State {
    Graph* recording = nullptr;
    std::deque<std::function<void()>> late;
    Index asked = 0, done = 0;  ///< late operations: issued, run
  };
  Order order_;
  Access access_;
  Pace pace_;
  Precision precision_;
  bool tensor_cores_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

struct Runtime {
  using Context = emulator::Context;
  using Graph = emulator::Graph;
  using Event = emulator::Event;
  using Staging = Buffer<float>;
  template <class T>
  using Memory = HeapBuffer<T>;
};

}  // namespace cuda::emulator
}  // namespace ADTR_ABI
}  // namespace adtr

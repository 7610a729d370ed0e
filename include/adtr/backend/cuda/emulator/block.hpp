/// Emulator: runs the threads of a block in turns, each until its next rendezvous.
#pragma once

#include <array>
#include <deque>
#include <exception>

#include "adtr/backend/cuda/emulator/fibre.hpp"
#include "adtr/backend/cuda/emulator/heap.hpp"
#include "adtr/backend/cuda/emulator/shared.hpp"
#include "adtr/backend/cuda/emulator/tensor.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::emulator {

/// The order in which blocks, warps and lanes take turns. Order 1 counts up; others begin elsewhere or count down. No
/// result may depend on it.
struct Order {
  int number = 1;

  [[nodiscard]] Index operator()(Index i, Index count) const {
    const Index turned = (i + (number - 1) * 5) % count;
    return number % 2 == 1 ? turned : count - 1 - turned;
  }
};

/// The block that a host thread is emulating.
class Block {
 public:
  using Body = void (*)(void* launch, int thread);

  /// The block of the calling host thread.
  [[nodiscard]] static Block& current() {
    thread_local Block block;
    return block;
  }

  /// Runs body(launch, t) for each thread t of every block of `grid`.
  void run(const char* kernel, Grid grid, int threads, Order order, Access access, Body body, void* launch) {
    where_ = {kernel, {}, 0, {}};
    if (threads < 1 || threads > 1024 || threads % warp != 0)
      throw Fault(FaultKind::launch, where_, "a block of " + std::to_string(threads) + " threads.");
    if (grid.x < 1 || grid.x > 0x7FFFFFFF || grid.y < 1 || grid.y > 65535 || grid.z < 1 || grid.z > 65535)
      throw Fault(FaultKind::launch, where_,
                  "a grid of " + std::to_string(grid.x) + " by " + std::to_string(grid.y) + " by " +
                      std::to_string(grid.z) + " blocks.");
    grid_ = grid;
    count_ = threads;
    order_ = order;
    access_ = access;
    body_ = body;
    launch_ = launch;
    shared_.clear();
    global_.trim();
    epochs_.launch = ++epochs_.now;
    while (lanes_.size() < static_cast<std::size_t>(threads)) lanes_.emplace_back();
    const Index blocks = grid.x * grid.y * grid.z;
    for (Index i = 0; i < blocks; ++i) {
      const Index b = order(i, blocks);
      where_.block = {b % grid.x, b / grid.x % grid.y, b / grid.x / grid.y};
      run_block();
    }
  }

  // ---- for the running thread ----

  [[nodiscard]] const Grid& grid() const { return grid_; }
  [[nodiscard]] const Grid& index() const { return where_.block; }
  [[nodiscard]] int threads() const { return count_; }
  [[nodiscard]] SharedMemory& shared() { return shared_; }
  /// The access record of an element of global memory. Fails if kernels may not access it.
  [[nodiscard]] Touched& global(const void* address, int thread, Line line) {
    if (access_ == Access::device && !Heap::instance().contains(address)) [[unlikely]]
      fail(FaultKind::host_memory, thread, line, "address " + hexadecimal(address) + " is the host's, not the GPU's.");
    return global_.at(address);
  }
  [[nodiscard]] const Epochs& epochs() const { return epochs_; }

  [[noreturn, gnu::noinline]] void fail(FaultKind kind, int thread, Line line, const std::string& sentence) const {
    throw Fault(kind, {where_.kernel, where_.block, thread, line}, sentence);
  }

  void barrier(int thread, Line line) { wait(thread, State::at_barrier, line); }

  enum class State : std::uint8_t { ready, at_barrier, at_shuffle, at_mma, ended };

  /// Returns what each lane of the thread's warp passes, valid until the thread's next rendezvous. All lanes must call
  /// it.
  [[nodiscard]] const std::array<Passed, warp>& exchange(int thread, const Passed& passed, State at, Line line) {
    // Two alternating buffers: a lane that is already at the next exchange overwrites nothing that another still reads.
    Lane& self = lane(thread);
    auto& lanes = exchanged_[static_cast<std::size_t>(thread / warp)][self.exchanges++ % 2];
    lanes[static_cast<std::size_t>(thread % warp)] = passed;
    wait(thread, at, line);
    return lanes;
  }

 private:
  struct Lane {
    Fibre fibre;
    State state = State::ended;
    Line line;
    unsigned exchanges = 0;
  };
  struct Turn {
    Block* block;
    int thread;
  };
  struct Cancelled {};

  [[nodiscard]] Lane& lane(int thread) { return lanes_[static_cast<std::size_t>(thread)]; }

  void run_block() {
    epochs_.block = ++epochs_.now;
    failure_ = nullptr;
    cancelled_ = false;
    for (int t = 0; t < count_; ++t) {
      turns_[static_cast<std::size_t>(t)] = {this, t};
      lane(t).state = State::ready;
      lane(t).exchanges = 0;
      lane(t).fibre.start(&Block::enter, &turns_[static_cast<std::size_t>(t)]);
    }
    try {
      do {
        ++epochs_.now;
        const int warps = count_ / warp;
        for (int w = 0; w < warps; ++w) run_warp(static_cast<int>(order_(w, warps)) * warp);
      } while (release(0, count_, State::at_barrier, "barrier"));
    } catch (...) {
      cancel();
      throw;
    }
  }

  /// Runs a warp until each of its lanes has ended or is at a barrier.
  void run_warp(int first) {
    do {
      for (int i = 0; i < warp; ++i) resume(first + static_cast<int>(order_(i, warp)));
    } while (release(first, warp, State::at_shuffle, "shuffle") ||
             release(first, warp, State::at_mma, "product of fragments"));
  }

  void resume(int thread) {
    Lane& self = lane(thread);
    if (self.state != State::ready) return;
    self.fibre.resume();
    if (!self.fibre.intact()) fail(FaultKind::stack, thread, self.line, "its frames do not fit on the fibre's stack.");
    if (failure_ != nullptr) std::rethrow_exception(failure_);
  }

  /// Releases threads from a rendezvous at which all of them wait. Returns false if none waits there, and fails if only
  /// some do.
  [[nodiscard]] bool release(int first, int count, State at, const char* what) {
    int waiting = -1, elsewhere = -1;
    for (int t = first; t < first + count; ++t) (lane(t).state == at ? waiting : elsewhere) = t;
    if (waiting < 0) return false;
    if (elsewhere < 0)
      for (int t = first; t < first + count; ++t)
        if (lane(t).line != lane(waiting).line) elsewhere = t;
    if (elsewhere >= 0) diverged(waiting, elsewhere, what);
    for (int t = first; t < first + count; ++t) lane(t).state = State::ready;
    return true;
  }

  [[noreturn]] void diverged(int waiting, int elsewhere, const char* what) {
    const Lane& other = lane(elsewhere);
    fail(FaultKind::divergence, waiting, lane(waiting).line,
         std::string("waits at a ") + what + ", but thread " + std::to_string(elsewhere) +
             (other.state == State::ended ? " has ended." : " is at " + other.line.text() + "."));
  }

  void wait(int thread, State state, Line line) {
    Lane& self = lane(thread);
    self.state = state;
    self.line = line;
    self.fibre.suspend();
    if (cancelled_) throw Cancelled{};
  }

  /// Ends the waiting threads by an exception, so that the destructors of their frames run.
  void cancel() {
    cancelled_ = true;
    for (int t = 0; t < count_; ++t)
      if (lane(t).state != State::ended) lane(t).fibre.resume();
  }

  static void enter(void* argument) {
    const Turn turn = *static_cast<const Turn*>(argument);
    Block& self = *turn.block;
    try {
      if (!self.cancelled_) self.body_(self.launch_, turn.thread);
    } catch (const Cancelled&) {
    } catch (...) {
      self.failure_ = std::current_exception();
    }
    self.lane(turn.thread).state = State::ended;
  }

  Where where_;
  Grid grid_{};
  int count_ = 0;
  Order order_;
  Body body_ = nullptr;
  void* launch_ = nullptr;
  SharedMemory shared_;
  GlobalMemory global_;
  Access access_ = Access::any;
  Epochs epochs_;
  std::exception_ptr failure_;
  bool cancelled_ = false;
  std::deque<Lane> lanes_;
  std::array<Turn, 1024> turns_{};
  std::array<std::array<std::array<Passed, warp>, 2>, 1024 / warp> exchanged_{};
};

}  // namespace cuda::emulator
}  // namespace ADTR_ABI
}  // namespace adtr

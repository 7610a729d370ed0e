/// A persistent fork-join thread pool: its threads wait for loops and share their iterations.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "adtr/parallel/executor.hpp"
#include "adtr/parallel/processors.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Whether a pool may have more threads than this process has processors. `yes` is for tests, and for programs that
/// have a reason.
enum class Oversubscribe : bool { no, yes };

/// `parallel_for` hands out iterations one at a time to whichever thread is free. The caller takes part, so a pool of
/// one thread starts no worker. It allocates nothing. A worker that wakes late finds the loop closed and waits again,
/// so the caller never waits for a thread that the operating system has not scheduled. A nested loop, or a loop that a
/// second user thread starts while the pool is busy, runs on its calling thread alone.
class ThreadPool final : public Executor {
 public:
  /// `threads` includes the caller; 0 means one per processor that this process may use, which is also the maximum
  /// unless `oversubscribe` is yes. If the system cannot start all threads, the pool has fewer, at least the caller:
  /// threads() returns the number, threads_note() explains it. Throws Error if `threads` is negative.
  explicit ThreadPool(int threads = 0, Oversubscribe oversubscribe = Oversubscribe::no) {
    check_threads(threads);
    int wanted = threads;
    if (threads == 0 || oversubscribe == Oversubscribe::no) {
      const int processors = available_processors();
      wanted = threads == 0 ? processors : (std::min)(threads, processors);
    }
    const int workers = (std::min)(wanted, max_threads) - 1;
    workers_.reserve(static_cast<std::size_t>(workers));
    try {
      for (int i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
    } catch (const std::exception&) {
      // The system has no more threads, or no memory for their stacks: continue with those that run.
    }
  }

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  ~ThreadPool() override {
    state_.store(quit);
    state_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  [[nodiscard]] int threads() const override { return static_cast<int>(workers_.size()) + 1; }

  void parallel_for(Index count, void (*call)(void*, Index), void* function) override {
    if (count > 1 && !workers_.empty() && !inside_) {
      const std::unique_lock lock(mutex_, std::try_to_lock);
      if (lock.owns_lock()) {
        job_ = {call, function, count};
        share();
        return;
      }
    }
    for (Index i = 0; i < count; ++i) call(function, i);
  }

 private:
  struct Job {
    void (*call)(void*, Index) = nullptr;
    void* function = nullptr;
    Index count = 0;
  };

  // state_: the number of the loop in the high half, the bit `open`, and the number of workers inside the loop.
  static constexpr std::uint32_t active_mask = 0x7FFF;
  static constexpr std::uint32_t open = 0x8000;
  static constexpr std::uint32_t next_loop = 0x10000;
  static constexpr std::uint32_t quit = 0xFFFFFFFF;
  static constexpr int max_threads = 0x4000;
  static constexpr int spins = 4000;  // tens of microseconds: longer than the gaps between a network's layers

  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  void share() {
    next_.store(0, std::memory_order_relaxed);
    // Skip the last number, so that no state equals `quit`.
    std::uint32_t loop = (state_.load(std::memory_order_relaxed) & ~(next_loop - 1)) + next_loop;
    if (loop == 0xFFFF0000) loop = 0;
    state_.store(loop | open, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) > 0) state_.notify_all();
    inside_ = true;
    run();
    inside_ = false;
    state_.fetch_and(~open, std::memory_order_acq_rel);
    int spin = 0;
    while ((state_.load(std::memory_order_acquire) & active_mask) != 0) {
      if (++spin < spins)
        pause();
      else
        std::this_thread::yield();
    }
  }

  void run() {
    for (Index i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < job_.count;) job_.call(job_.function, i);
  }

  void work() {
    inside_ = true;
    std::uint32_t seen = 0;  // the last loop that this worker took part in
    for (;;) {
      std::uint32_t state = await(seen);
      if (state == quit) return;
      seen = state & ~(next_loop - 1);
      while (state != quit && (state & open) != 0 && (state & ~(next_loop - 1)) == seen) {
        if (!state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel)) continue;
        run();
        state_.fetch_sub(1, std::memory_order_acq_rel);
        break;
      }
    }
  }

  /// Spins, then sleeps, until a loop other than `seen` is open or the pool quits. Returns the state.
  std::uint32_t await(std::uint32_t seen) {
    for (int spin = 0;; ++spin) {
      const std::uint32_t state = state_.load(std::memory_order_acquire);
      if (state == quit || ((state & open) != 0 && (state & ~(next_loop - 1)) != seen)) return state;
      if (spin < spins) {
        pause();
        continue;
      }
      sleepers_.fetch_add(1, std::memory_order_seq_cst);
      state_.wait(state, std::memory_order_seq_cst);
      sleepers_.fetch_sub(1, std::memory_order_relaxed);
      spin = 0;
    }
  }

  inline static thread_local bool inside_ = false;

  alignas(64) std::atomic<std::uint32_t> state_{0};
  alignas(64) std::atomic<Index> next_{0};
  alignas(64) std::atomic<int> sleepers_{0};
  Job job_;
  std::mutex mutex_;
  std::vector<std::thread> workers_;
};

}  // namespace ADTR_ABI
}  // namespace adtr

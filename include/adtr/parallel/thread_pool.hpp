/// A persistent fork-join thread pool: its threads wait for loops and share their iterations.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "adtr/parallel/executor.hpp"

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
  explicit ThreadPool(int threads = 0, Oversubscribe oversubscribe = Oversubscribe::no);

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  ~ThreadPool() override;

  [[nodiscard]] int threads() const override { return static_cast<int>(workers_.size()) + 1; }

  void parallel_for(Index count, void (*call)(void*, Index), void* function) override;

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

  void share();
  void run();
  void work();
  /// Spins, then sleeps, until a loop other than `seen` is open or the pool quits. Returns the state.
  std::uint32_t await(std::uint32_t seen);

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

#if !defined(ADTR_EXTERN_KERNELS)
#include "adtr/parallel/thread_pool.inl.hpp"
#endif

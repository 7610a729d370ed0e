/// The functions of ThreadPool; see core/compiled.hpp.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>

#include "adtr/core/compiled.hpp"
#include "adtr/parallel/processors.hpp"
#include "adtr/parallel/thread_pool.hpp"

namespace adtr {
inline namespace ADTR_ABI {

ADTR_FUNCTION ThreadPool::ThreadPool(int threads, Oversubscribe oversubscribe) {
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

ADTR_FUNCTION ThreadPool::~ThreadPool() {
  state_.store(quit);
  state_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

ADTR_FUNCTION void ThreadPool::parallel_for(Index count, void (*call)(void*, Index), void* function) {
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

ADTR_FUNCTION void ThreadPool::share() {
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

ADTR_FUNCTION void ThreadPool::run() {
  for (Index i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < job_.count;) job_.call(job_.function, i);
}

ADTR_FUNCTION void ThreadPool::work() {
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

ADTR_FUNCTION std::uint32_t ThreadPool::await(std::uint32_t seen) {
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

}  // namespace ADTR_ABI
}  // namespace adtr

/// A user's thread pool, and the executor for it in docs/getting_started.md.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

#include "adtr/parallel/executor.hpp"

/// The simplest pool: a queue of jobs.
class UserPool {
 public:
  explicit UserPool(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  UserPool(const UserPool&) = delete;
  ~UserPool() {
    for (std::size_t i = 0; i < threads_.size(); ++i) submit(nullptr);
    for (std::thread& thread : threads_) thread.join();
  }
  [[nodiscard]] int size() const { return static_cast<int>(threads_.size()); }
  void submit(std::function<void()> job) {
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    filled_.notify_one();
  }

 private:
  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      filled_.wait(lock, [this] { return !jobs_.empty(); });
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      if (!job) return;
      job();
    }
  }

  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
};

// docs/getting_started.md shows the code from here
struct PoolExecutor final : adtr::Executor {
  explicit PoolExecutor(UserPool& user_pool) : pool(user_pool) {}
  int threads() const override { return pool.size() + 1; }  // including the one that calls detect()
  void parallel_for(adtr::Index count, void (*call)(void*, adtr::Index), void* function) override {
    std::atomic<adtr::Index> next{0};
    const auto work = [&] {
      for (adtr::Index i; (i = next++) < count;) call(function, i);
    };
    std::latch helpers(pool.size());
    for (int h = 0; h < pool.size(); ++h)
      pool.submit([&] {
        work();
        helpers.count_down();
      });
    work();
    helpers.wait();
  }
  UserPool& pool;
};
// to here.

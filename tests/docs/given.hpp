/// What the blocks of the documentation take for granted: as much of OpenCV and of a user's thread pool as they name.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace cv {

/// As much of OpenCV's matrix as adtr::view_of looks at: 8 bits, three channels, padded rows.
struct Mat {
  static constexpr int rows = 6, cols = 7;
  std::size_t step = 32;
  std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(6 * 32);
  std::uint8_t* data = pixels.data();
  static int channels() { return 3; }
  static int depth() { return 0; }
  static std::size_t elemSize1() { return 1; }
};

}  // namespace cv

/// A pool of threads whose `submit` takes a function.
class UserPool {
 public:
  explicit UserPool(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { serve(); });
  }
  UserPool(const UserPool&) = delete;
  UserPool& operator=(const UserPool&) = delete;
  ~UserPool() {
    for (std::size_t i = 0; i < threads_.size(); ++i) submit({});  // an empty function ends one thread
    for (std::thread& thread : threads_) thread.join();
  }
  [[nodiscard]] int size() const { return static_cast<int>(threads_.size()); }
  void submit(std::function<void()> function) {
    {
      const std::lock_guard lock(mutex_);
      functions_.push_back(std::move(function));
    }
    filled_.notify_one();
  }

 private:
  void serve() {
    for (;;) {
      std::unique_lock lock(mutex_);
      filled_.wait(lock, [this] { return !functions_.empty(); });
      const std::function<void()> function = std::move(functions_.front());
      functions_.pop_front();
      lock.unlock();
      if (!function) return;
      function();
    }
  }

  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<std::function<void()>> functions_;
  std::vector<std::thread> threads_;
};

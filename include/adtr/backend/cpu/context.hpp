/// Where the Cpu backend runs.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "adtr/backend/cpu/thread_pool.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cpu {

/// A handle to threads. Copies share them; so may any number of user threads. To move one is to copy it: none is ever
/// without threads.
class Context {
 public:
  /// A pool of its own of that many threads, the caller among them; see ThreadPool. Throws Error where the number is
  /// negative.
  explicit Context(int threads = 0, Oversubscribe oversubscribe = Oversubscribe::no)
      : executor_(std::make_shared<ThreadPool>(threads, oversubscribe)) {}
  /// Shares a pool that exists, or runs on the user's own threads. Throws Error where the pointer is null.
  explicit Context(std::shared_ptr<Executor> executor) : executor_(std::move(executor)) {
    if (executor_ == nullptr)
      throw Error("the executor of a Context is a null pointer; expected a ThreadPool or an Executor of your own",
                  ErrorCode::option);
  }
  Context(const Context&) = default;
  Context& operator=(const Context&) = default;
  ~Context() = default;

  /// How many threads take part in loops: perhaps fewer than were asked for; threads_note() says why.
  [[nodiscard]] int threads() const { return std::max(1, executor_->threads()); }

  /// fn(i) for every i in [0, count), on any of the threads.
  template <class F>
  void for_each(Index count, F&& fn) const {
    executor_->for_each(count, fn);
  }

  /// fn(begin, end) for ranges that cover [0, count) and begin at multiples of `step`: some for every thread, but none
  /// too short to be worth handing out, where an item costs about `cost` element operations. Where the cuts lie must
  /// not matter to the result.
  template <class F>
  void for_ranges(Index count, Index step, double cost, F&& fn) const {
    const Index length = range_length(count, step, cost);
    executor_->for_each((count + length - 1) / length,
                        [&](Index i) { fn(i * length, std::min(count, (i + 1) * length)); });
  }

  /// The length that for_ranges takes.
  [[nodiscard]] Index range_length(Index count, Index step, double cost) const {
    const auto worthwhile = static_cast<Index>(min_work / cost) + 1;
    const Index fair = threads() == 1 ? count : count / (ranges_per_thread * threads());
    const Index length = std::max({worthwhile, fair, Index{1}});
    return (length + step - 1) / step * step;
  }

 private:
  static constexpr double min_work = 16384.0;    // element operations; a microsecond or two
  static constexpr Index ranges_per_thread = 4;  // so that a thread that is held up leaves its share to others

  std::shared_ptr<Executor> executor_;
};

}  // namespace cpu
}  // namespace ADTR_ABI
}  // namespace adtr

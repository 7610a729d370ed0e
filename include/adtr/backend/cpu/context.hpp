/// The Context of the Cpu backend: the threads it runs on.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "adtr/backend/cpu/kernel_rooms.hpp"
#include "adtr/core/ceil_div.hpp"
#include "adtr/parallel/processors.hpp"  // threads_note(), for users of Context
#include "adtr/parallel/thread_pool.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cpu {

/// A handle to a set of threads. Copies share them, and several user threads may use one Context at the same time.
/// Moving is copying, so that a Context always has threads.
class Context {
 public:
  /// Creates a pool of `threads` threads, which include the caller; see ThreadPool. Throws Error if `threads` is
  /// negative.
  explicit Context(int threads = 0, Oversubscribe oversubscribe = Oversubscribe::no)
      : Context(std::make_shared<ThreadPool>(threads, oversubscribe)) {}
  /// Uses an existing pool or the user's own threads. Throws Error if the pointer is null.
  explicit Context(std::shared_ptr<Executor> executor) : executor_(std::move(executor)) {
    if (executor_ == nullptr)
      throw Error("the executor of a Context is a null pointer; expected a ThreadPool or your own Executor",
                  ErrorCode::option);
    rooms_ = std::make_shared<KernelRooms>(this->threads());
  }
  Context(const Context&) = default;
  Context& operator=(const Context&) = default;
  ~Context() = default;

  /// Number of threads that run loops. It may be smaller than requested; threads_note() says why.
  [[nodiscard]] int threads() const { return (std::max)(1, executor_->threads()); }

  /// Memory for the packed blocks of one kernel; a task claims it and passes it on.
  [[nodiscard]] KernelRooms::Claim kernel_room() const { return rooms_->claim(); }

  /// Calls fn(i) for every i in [0, count), on any of the threads.
  template <class F>
  void for_each(Index count, F&& fn) const {
    executor_->for_each(count, fn);
  }

  /// Calls fn(begin, end) for ranges that cover [0, count) and begin at multiples of `step`. An item costs about `cost`
  /// element operations. Every thread gets several ranges, unless they would be too short to be worth a task. The
  /// result must not depend on where the ranges are cut.
  template <class F>
  void for_ranges(Index count, Index step, double cost, F&& fn) const {
    const Index length = range_length(count, step, cost);
    executor_->for_each(ceil_div(count, length), [&](Index i) { fn(i * length, (std::min)(count, (i + 1) * length)); });
  }

  /// The length of the ranges of for_ranges.
  [[nodiscard]] Index range_length(Index count, Index step, double cost) const {
    const auto worthwhile = static_cast<Index>(min_work / cost) + 1;
    const Index fair = threads() == 1 ? count : count / (ranges_per_thread * threads());
    const Index length = (std::max)({worthwhile, fair, Index{1}});
    return round_up(length, step);
  }

 private:
  static constexpr double min_work = 16384.0;    // element operations; a microsecond or two
  static constexpr Index ranges_per_thread = 4;  // so that other threads can take over from a delayed one

  std::shared_ptr<Executor> executor_;
  std::shared_ptr<KernelRooms> rooms_;
};

}  // namespace cpu
}  // namespace ADTR_ABI
}  // namespace adtr

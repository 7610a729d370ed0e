/// How many processors this process may use, and the note to the user if it gets fewer threads than requested.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adtr/core/error.hpp"
#include "adtr/parallel/cgroup.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// `processors`, or the quota (in processors, rounded up) if that is lower. At least 1.
[[nodiscard]] inline int within_quota(int processors, std::optional<double> quota) {
  if (!quota || *quota >= static_cast<double>(processors)) return (std::max)(1, processors);
  return (std::max)(1, static_cast<int>(std::ceil(*quota)));
}

/// The processors that the scheduler lets the calling thread run on, at least 1.
[[nodiscard]] inline int processors_of_affinity() {
#if defined(__linux__)
  // The kernel refuses a mask that is smaller than its own. No kernel has a larger one than the last of this loop.
  for (std::size_t words = 16; words <= (std::size_t{1} << 14); words *= 2) {
    std::vector<unsigned long> mask(words);
    if (::sched_getaffinity(0, words * sizeof(unsigned long), reinterpret_cast<cpu_set_t*>(mask.data())) != 0) continue;
    int count = 0;
    for (const unsigned long word : mask) count += std::popcount(word);
    if (count > 0) return count;
    break;
  }
#endif
  return (std::max)(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace detail

/// The number of processors that this process may use, at least 1: those that its affinity (taskset, cpusets) allows,
/// or the quota of its control group (a container's limit), rounded up, if that is lower.
[[nodiscard]] inline int available_processors() {
  return detail::within_quota(detail::processors_of_affinity(), detail::min_cpu_quota());
}

/// Throws Error if a number of threads is negative.
inline void check_threads(int threads) {
  if (threads < 0)
    throw Error(
        "the number of threads is " + std::to_string(threads) + "; expected a positive number, or 0 for all processors",
        ErrorCode::option);
}

/// A sentence for the user if `got` threads are used although `asked` were requested (0 requests all processors).
/// Empty if the request was met. `processors` is the number that the process may use.
[[nodiscard]] inline std::string threads_note(int asked, int got, int processors = available_processors()) {
  const int wanted = asked == 0 ? processors : asked;
  if (got >= wanted) return {};
  const auto count = [](int n, const std::string& name) {
    return std::to_string(n) + ' ' + name + (n == 1 ? "" : "s");
  };
  const std::string request = asked == 0 ? "a thread for each of " + count(processors, "processor") + " was requested"
                                         : count(asked, "thread") + (asked == 1 ? " was requested" : " were requested");
  const std::string reason =
      got >= processors ? "this process may use " + count(processors, "processor") : "the system refused to start more";
  return request + "; " + std::to_string(got) + (got == 1 ? " is" : " are") + " used, because " + reason;
}

}  // namespace ADTR_ABI
}  // namespace adtr

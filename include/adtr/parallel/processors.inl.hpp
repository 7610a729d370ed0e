/// The functions of processors.hpp; see core/compiled.hpp.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "adtr/core/compiled.hpp"
#include "adtr/core/error.hpp"
#include "adtr/parallel/cgroup.hpp"
#include "adtr/parallel/processors.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

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

ADTR_FUNCTION int available_processors() {
  return detail::within_quota(detail::processors_of_affinity(), detail::min_cpu_quota());
}

ADTR_FUNCTION void check_threads(int threads) {
  if (threads < 0)
    throw Error(
        "the number of threads is " + std::to_string(threads) + "; expected a positive number, or 0 for all processors",
        ErrorCode::option);
}

ADTR_FUNCTION std::string threads_note(int asked, int got, int processors) {
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

/// Times calls: a fixed number of them, or as many at a time as a driver requests on standard input.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

namespace adtr_benchmark {

using Clock = std::chrono::steady_clock;

/// The start of the process, except for the work of the loader before it.
inline const Clock::time_point process_start = Clock::now();

[[nodiscard]] inline double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

struct Schedule {
  int warm_up = 2, runs = 50;
  bool serve = false;
};

struct Timing {
  std::vector<double> milliseconds;  ///< ascending
  double gflop = 0.0;                ///< of one call
  double first_ms = 0.0;             ///< from process_start to the end of the first call
  double peak_gflops = 0.0;          ///< of one core, sampled between the calls

  [[nodiscard]] double quantile(double q) const {
    return milliseconds.empty()
               ? 0.0
               : milliseconds[static_cast<std::size_t>(q * static_cast<double>(milliseconds.size() - 1))];
  }
};

/// Times `call`; `save` keeps the result and is not timed. With `serve`, the process reports the end of its first call
/// (a line of JSON). Then, for each line of standard input, it makes one untimed call and the requested number of
/// calls, and prints their times in milliseconds.
Timing time_calls(const Schedule& schedule, double gflop, const std::function<void()>& call,
                  const std::function<void()>& save);

}  // namespace adtr_benchmark

/// How calls are timed: a number of them at once, or as many at a time as a driver asks for on standard input.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

namespace adtr_benchmark {

using Clock = std::chrono::steady_clock;

/// All but what the loader does before.
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
  double first_ms = 0.0;             ///< process start to the end of the first call
  double peak_gflops = 0.0;          ///< of a core's multiply-adds, sampled between the calls

  [[nodiscard]] double quantile(double q) const {
    return milliseconds.empty()
               ? 0.0
               : milliseconds[static_cast<std::size_t>(q * static_cast<double>(milliseconds.size() - 1))];
  }
};

/// Times `call`; `save` keeps the result and is not timed. With `serve` the process says when its first call is done (a
/// line of JSON), then makes as many calls as each line of standard input says, after one that does not count, and
/// answers with the list of their milliseconds.
Timing time_calls(const Schedule& schedule, double gflop, const std::function<void()>& call,
                  const std::function<void()>& save);

}  // namespace adtr_benchmark

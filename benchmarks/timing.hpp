/// How calls are timed: a number of them at once, or as many at a time as a driver asks for on standard input.
#pragma once

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <vector>

#include "peak.hpp"

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
  Peak peak;                         ///< sampled between the calls

  [[nodiscard]] double quantile(double q) const {
    return milliseconds.empty()
               ? 0.0
               : milliseconds[static_cast<std::size_t>(q * static_cast<double>(milliseconds.size() - 1))];
  }
};

/// One function that a profiler can name.
template <class F>
[[gnu::noinline]] double timed_call(F& call) {
  const auto begin = Clock::now();
  call();
  return milliseconds_since(begin);
}

/// Times `call`; `save` keeps the result and is not timed. With `serve` the process says when its first call is done (a
/// line of JSON), then makes as many calls as each line of standard input says, after one that does not count, and
/// answers with the list of their milliseconds.
template <class F, class S>
Timing time_calls(const Schedule& schedule, double gflop, F&& call, S&& save) {
  Timing timing;
  timing.gflop = gflop;
  const auto next = [&] {
    const double ms = timed_call(call);
    if (timing.first_ms == 0.0) timing.first_ms = milliseconds_since(process_start);
    return ms;
  };
  if (schedule.serve) {
    next();
    std::printf("%s\n", nlohmann::json{{"first_ms", timing.first_ms}}.dump().c_str());
    std::fflush(stdout);
    save();
    for (int runs = 0; std::cin >> runs;) {
      next();
      std::vector<double> turn;
      for (int i = 0; i < runs; ++i) turn.push_back(next());
      for (int i = 0; i < 3; ++i) timing.peak.sample();
      std::printf("%s\n", nlohmann::json(turn).dump().c_str());
      std::fflush(stdout);
      timing.milliseconds.insert(timing.milliseconds.end(), turn.begin(), turn.end());
    }
  } else {
    for (int i = 0; i < schedule.warm_up; ++i) next();
    for (int i = 0; i < schedule.runs; ++i) {
      timing.milliseconds.push_back(next());
      if (i % (1 + schedule.runs / 20) == 0) timing.peak.sample();
    }
    save();
  }
  std::sort(timing.milliseconds.begin(), timing.milliseconds.end());
  return timing;
}

}  // namespace adtr_benchmark

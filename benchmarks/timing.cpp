#include "timing.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "peak.hpp"

namespace adtr_benchmark {

namespace {

/// A function of its own, so that a profiler shows it by name.
[[gnu::noinline]] double timed_call(const std::function<void()>& call) {
  const auto begin = Clock::now();
  call();
  return milliseconds_since(begin);
}

}  // namespace

Timing time_calls(const Schedule& schedule, double gflop, const std::function<void()>& call,
                  const std::function<void()>& save) {
  Timing timing;
  timing.gflop = gflop;
  Peak peak;
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
      for (int i = 0; i < 3; ++i) peak.sample();
      std::printf("%s\n", nlohmann::json(turn).dump().c_str());
      std::fflush(stdout);
      timing.milliseconds.insert(timing.milliseconds.end(), turn.begin(), turn.end());
    }
  } else {
    for (int i = 0; i < schedule.warm_up; ++i) next();
    for (int i = 0; i < schedule.runs; ++i) {
      timing.milliseconds.push_back(next());
      if (i % (1 + schedule.runs / 20) == 0) peak.sample();
    }
    save();
  }
  timing.peak_gflops = peak.gflops();
  std::sort(timing.milliseconds.begin(), timing.milliseconds.end());
  return timing;
}

}  // namespace adtr_benchmark

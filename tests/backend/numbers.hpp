/// Numbers for tests of backends, and the deviation between results.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "adtr/backend/reference.hpp"
#include "backend/deviations.hpp"

namespace suite {

using adtr::Index;
using Oracle = adtr::Reference<double>;

inline std::size_t size(Index n) { return static_cast<std::size_t>(n); }

/// Number i of stream `seed`, a float in [-1, 1): the same for every backend. The mixing is Vigna's SplitMix64.
inline float number(std::uint64_t seed, Index i) {
  std::uint64_t z = (seed << 40) + (static_cast<std::uint64_t>(i) + 1) * 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return static_cast<float>(static_cast<std::int64_t>(z ^ (z >> 31)) >> 40) * 0x1p-23F;
}

/// Numbers [first, first + n) of a stream, times scale.
template <class T>
std::vector<T> numbers(Index n, std::uint64_t seed, float scale = 1.0F, Index first = 0) {
  std::vector<T> values(size(n));
  for (Index i = 0; i < n; ++i) values[size(i)] = static_cast<T>(number(seed, first + i) * scale);
  return values;
}

/// Infinite if sizes differ or a number is not finite.
template <class T>
Deviation deviation(const std::vector<T>& actual, const std::vector<double>& expected) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (actual.size() != expected.size()) return {infinity, infinity};
  double largest = 0.0, farthest = 0.0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const auto x = static_cast<double>(actual[i]);
    if (!std::isfinite(x)) return {infinity, infinity};
    largest = std::max(largest, std::abs(expected[i]));
    farthest = std::max(farthest, std::abs(x - expected[i]));
  }
  return {farthest, farthest == 0.0 ? 0.0 : farthest / largest};
}

template <class T>
double error(const std::vector<T>& actual, const std::vector<double>& expected) {
  return deviation(actual, expected).relative;
}

}  // namespace suite

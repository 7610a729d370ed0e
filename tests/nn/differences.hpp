/// Compares gradients with central differences, in double.
#pragma once

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "adtr/core/random.hpp"
#include "support/catch.hpp"

namespace differences {

/// Numbers in [-1, 1), the same on every run.
inline std::vector<double> random_values(adtr::Index n, std::uint64_t stream) {
  adtr::RandomStream random(7, stream);
  std::vector<double> values(static_cast<std::size_t>(n));
  for (double& v : values) v = 2.0 * random.uniform() - 1.0;
  return values;
}

/// Checks d loss / d values: `loss()` reads `values`, and `gradient` is the result of a backward pass.
template <class Loss>
void check(const std::string& what, std::span<double> values, std::span<const double> gradient, Loss&& loss) {
  INFO(what);
  REQUIRE(values.size() == gradient.size());
  constexpr double h = 1e-5;
  double worst = 0.0, largest = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double kept = values[i];
    values[i] = kept + h;
    const double above = loss();
    values[i] = kept - h;
    const double below = loss();
    values[i] = kept;
    const double numeric = (above - below) / (2.0 * h);
    worst = std::max(worst, std::abs(numeric - gradient[i]));
    largest = std::max(largest, std::abs(numeric));
  }
  CHECK(largest > 1e-4);  // a gradient of zeros would prove nothing
  CHECK(worst <= 1e-8 * std::max(1.0, largest));
}

/// The loss Σ y·weights, whose gradient with respect to y is `weights`.
inline double weighted_sum(const std::vector<double>& y, const std::vector<double>& weights) {
  double sum = 0.0;
  for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * weights[i];
  return sum;
}

}  // namespace differences

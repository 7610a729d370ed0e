/// A threshold from good images alone: the user says which false-alarm rate he can bear.
///
/// The images must be held out: the network scores images that it was trained on too low, and a threshold from those
/// raises more false alarms than it says.
///
/// What n held-out good images can promise, whatever the distribution of their scores (Wilks 1941, Clopper and Pearson
/// 1934): with the threshold just above the score of the (k+1)-th highest, k of them are false alarms, the true rate is
/// (k+1)/(n+1) on average, and with 95 % confidence not above
///
///   n       20      59      100     299     1000    3000
///   k = 0   13.9 %  5.0 %   3.0 %   1.0 %   0.30 %  0.10 %
///   k = n/100 (rounded down)        4.7 %   2.1 %   1.7 %   1.4 %   (n = 100, 299, 1000, 3000)
///
/// So 20 images cannot support 1 %, however the threshold is chosen (`good_images_needed` says 299), and no number of
/// good images says anything about defects found. The promise holds for parts like those held out: not after a change
/// of light, camera or supplier.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "adtr/core/abi.hpp"
#include "adtr/core/error.hpp"
#include "adtr/core/number_text.hpp"
#include "adtr/metrics/ranking.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// P(X ≤ k) of a binomial variable, n trials of probability p in (0, 1).
inline double binomial_cdf(std::size_t k, std::size_t n, double p) {
  const auto log_factorial = [](std::size_t m) { return std::lgamma(static_cast<double>(m) + 1.0); };
  double sum = 0;
  for (std::size_t i = 0; i <= k; ++i) {
    sum += std::exp(log_factorial(n) - log_factorial(i) - log_factorial(n - i) + static_cast<double>(i) * std::log(p) +
                    static_cast<double>(n - i) * std::log1p(-p));
  }
  return sum;
}

inline void require_confidence(double confidence) {
  if (!(confidence > 0.0 && confidence < 1.0)) {
    throw Error("confidence: expected more than 0 and less than 1, found " + number_text(confidence),
                ErrorCode::option);
  }
}

}  // namespace detail

/// Clopper–Pearson: the one-sided upper bound on a rate of which k in n were seen. The rate is not above it with at
/// least this confidence. Error: 1e-10.
[[nodiscard]] inline double clopper_pearson_upper(std::size_t k, std::size_t n, double confidence = 0.95) {
  detail::require_confidence(confidence);
  if (k > n)
    throw Error("count: expected at most " + std::to_string(n) + ", found " + std::to_string(k), ErrorCode::option);
  if (k == n) return 1.0;
  double low = 0;
  double high = 1;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (detail::binomial_cdf(k, n, middle) > 1.0 - confidence ? low : high) = middle;
  }
  return high;
}

/// The fewest held-out good images, none of them a false alarm, that show a true rate of at most `rate`.
[[nodiscard]] inline std::size_t good_images_needed(double rate, double confidence = 0.95) {
  detail::require_confidence(confidence);
  if (!(rate > 0.0 && rate < 1.0)) {
    throw Error("false-alarm rate: expected more than 0 and less than 1, found " + number_text(rate),
                ErrorCode::option);
  }
  return static_cast<std::size_t>(std::ceil(std::log1p(-confidence) / std::log1p(-rate)));
}

struct GoodThreshold {
  double value;              ///< score ≥ value is anomalous
  double requested_rate;     ///< what the user asked for
  std::size_t good_images;   ///< n
  std::size_t false_alarms;  ///< of the n, how many score ≥ value: at most requested_rate · n
  double expected_rate;      ///< the true false-alarm rate on average over such draws of n images, (k+1)/(n+1)
  double upper_bound;        ///< the true false-alarm rate is not above this, with `confidence`
  double confidence;
};

/// The lowest threshold at which at most `rate` of the held-out good images are false alarms: the next number (of the
/// scores' type) above the (k+1)-th highest score, k = ⌊rate · n⌋. Ties make it more careful than it says, never less.
/// Throws Error on no scores, NaN, a rate outside [0, 1) or a confidence outside (0, 1).
template <ScoreRange S>
[[nodiscard]] GoodThreshold threshold_from_good(const S& good_scores, double rate, double confidence = 0.95) {
  using T = std::ranges::range_value_t<S>;
  const std::span<const T> scores(good_scores);
  if (scores.empty())
    throw Error("threshold: expected scores of held-out good images, found none", ErrorCode::bad_data);
  if (!(rate >= 0.0 && rate < 1.0)) {
    throw Error("false-alarm rate: expected at least 0 and less than 1, found " + number_text(rate), ErrorCode::option);
  }
  detail::require_confidence(confidence);
  detail::require_no_nan(scores);

  const std::size_t n = scores.size();
  // 0.29 · 100 is 28.999999999999996.
  const auto k = (std::min)(n - 1, static_cast<std::size_t>(rate * static_cast<double>(n) + 1e-9));
  std::vector<T> sorted(scores.begin(), scores.end());
  const auto last_passing = sorted.begin() + static_cast<std::ptrdiff_t>(k);
  std::nth_element(sorted.begin(), last_passing, sorted.end(), std::greater<>{});
  const T threshold = std::nextafter(*last_passing, std::numeric_limits<T>::infinity());
  const auto false_alarms = std::count_if(scores.begin(), scores.end(), [&](T score) { return score >= threshold; });
  return {static_cast<double>(threshold),
          rate,
          n,
          static_cast<std::size_t>(false_alarms),
          static_cast<double>(k + 1) / static_cast<double>(n + 1),
          clopper_pearson_upper(k, n, confidence),
          confidence};
}

}  // namespace ADTR_ABI
}  // namespace adtr

/// Computes a threshold from good images only, for a false-alarm rate that the user accepts.
///
/// The images must be held out: the network scores its training images too low, so a threshold from them raises more
/// false alarms than it promises.
///
/// What n held-out good images can promise, for any distribution of scores (Wilks 1941, Clopper and Pearson 1934): if
/// the threshold lies just above the (k+1)-th highest score, k of the images are false alarms, the true rate is
/// (k+1)/(n+1) on average, and with 95 % confidence it is at most
///
///   n       20      59      100     299     1000    3000
///   k = 0   13.9 %  5.0 %   3.0 %   1.0 %   0.30 %  0.10 %
///   k = n/100 (rounded down)        4.7 %   2.1 %   1.7 %   1.4 %   (n = 100, 299, 1000, 3000)
///
/// So no threshold lets 20 images promise 1 % (`good_images_needed` returns 299), and no number of good images predicts
/// how many defects are found. The promise holds for parts like those held out, and no longer after a change of light,
/// camera or supplier.
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

/// P(X ≤ k) for a binomial variable of n trials with probability p in (0, 1).
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

/// The one-sided upper bound (Clopper–Pearson) on the rate of an event that was seen k times in n trials. With at least
/// this confidence the rate is not above it. The numerical error is at most 1e-10.
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

/// The smallest number of held-out good images that show a true rate of at most `rate` if none is a false alarm.
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
  double requested_rate;     ///< the user's `rate`
  std::size_t good_images;   ///< n
  std::size_t false_alarms;  ///< number of the n images that score ≥ value, at most requested_rate · n
  double expected_rate;      ///< the true false-alarm rate, averaged over draws of n images: (k+1)/(n+1)
  double upper_bound;        ///< with `confidence`, the true false-alarm rate is not above this
  double confidence;
};

/// The lowest threshold at which at most `rate` of the held-out good images are false alarms: the next number (of the
/// scores' type) above the (k+1)-th highest score, k = ⌊rate · n⌋. Tied scores can only lower the number of false
/// alarms. Throws Error if there are no scores, on NaN, if the rate is outside [0, 1) or the confidence outside (0, 1).
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
  // 0.29 · 100 is 28.999999999999996 in floating point, but k is 29.
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

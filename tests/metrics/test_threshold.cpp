/// Thresholds from good images: order statistics, bounds compared with SciPy, and the promise on simulated scores.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "adtr/metrics/threshold.hpp"
#include "data.hpp"
#include "golden_values.hpp"
#include "support/catch.hpp"

TEST_CASE("the Clopper-Pearson bound equals SciPy's beta quantile") {
  for (const golden::Bound& b : golden::bounds) {
    INFO(b.k << " of " << b.n);
    CHECK(std::abs(adtr::clopper_pearson_upper(b.k, b.n, b.confidence) - b.upper) < 1e-10);
  }
  CHECK(adtr::clopper_pearson_upper(7, 7) == 1.0);
  CHECK_THROWS_AS(adtr::clopper_pearson_upper(8, 7), adtr::Error);
  CHECK_THROWS_AS(adtr::clopper_pearson_upper(1, 7, 95), adtr::Error);
}

TEST_CASE("good images needed") {
  CHECK(adtr::good_images_needed(0.01) == 299);
  CHECK(adtr::good_images_needed(0.05) == 59);
  CHECK(adtr::clopper_pearson_upper(0, 299) <= 0.01);
  CHECK(adtr::clopper_pearson_upper(0, 298) > 0.01);
  CHECK_THROWS_AS(adtr::good_images_needed(0), adtr::Error);
}

TEST_CASE("the threshold passes all good images except the requested share") {
  std::vector<float> scores;
  for (int i = 100; i > 0; --i) scores.push_back(static_cast<float>(i));
  const adtr::GoodThreshold five = adtr::threshold_from_good(scores, 0.05);
  CHECK(five.false_alarms == 5);
  CHECK(five.value > 95.0);
  CHECK(five.value < 95.001);
  CHECK(five.value == static_cast<double>(static_cast<float>(five.value)));  // so that float and double compare equally
  CHECK(five.expected_rate == Approx(6.0 / 101));
  CHECK(five.upper_bound == adtr::clopper_pearson_upper(5, 100));
  CHECK(adtr::threshold_from_good(scores, 0.29).false_alarms == 29);
  CHECK(adtr::threshold_from_good(scores, 0.0).false_alarms == 0);
  CHECK(adtr::threshold_from_good(scores, 0.009).value > 100.0);
  CHECK(adtr::threshold_from_good(std::vector<double>{4.0}, 0.5).false_alarms == 0);
}

TEST_CASE("tied scores only lower the number of false alarms") {
  const std::vector<float> scores{1, 2, 3, 3, 3, 3, 3, 3, 3, 3};
  const adtr::GoodThreshold t = adtr::threshold_from_good(scores, 0.3);
  CHECK(t.false_alarms == 0);
  CHECK(t.value > 3.0);
  CHECK(t.upper_bound == adtr::clopper_pearson_upper(3, 10));
}

TEST_CASE("the bound holds in 95 of 100 calibrations, and hardly more") {
  Lcg lcg{99};
  int held = 0;
  double mean_rate = 0;
  constexpr int trials = 4000;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<double> scores(60);
    for (double& s : scores) s = lcg.next();
    const adtr::GoodThreshold t = adtr::threshold_from_good(scores, 0.1);
    const double true_rate = std::clamp(1.0 - t.value, 0.0, 1.0);  // scores are uniform in [0, 1)
    held += true_rate <= t.upper_bound ? 1 : 0;
    mean_rate += true_rate / trials;
  }
  CHECK(held > 0.94 * trials);
  CHECK(held < 0.96 * trials);
  CHECK(mean_rate == Approx(7.0 / 61).margin(0.003));
}

TEST_CASE("missing scores, NaN and invalid rates are refused") {
  CHECK_THROWS_AS(adtr::threshold_from_good(std::vector<float>{}, 0.1), adtr::Error);
  CHECK_THROWS_AS(adtr::threshold_from_good(std::vector<float>{1}, 1.0), adtr::Error);
  CHECK_THROWS_AS(adtr::threshold_from_good(std::vector<float>{1}, -0.1), adtr::Error);
  CHECK_THROWS_AS(adtr::threshold_from_good(std::vector<float>{1}, 0.1, 1.0), adtr::Error);
  CHECK_THROWS_AS(adtr::threshold_from_good(std::vector<float>{std::numeric_limits<float>::quiet_NaN()}, 0.1),
                  adtr::Error);
}

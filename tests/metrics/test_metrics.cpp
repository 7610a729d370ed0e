/// Compares ROC, precision-recall, PGn and PBn with scikit-learn (golden_values.hpp) and with values computed by hand.
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "adtr/metrics/passed.hpp"
#include "adtr/metrics/precision_recall.hpp"
#include "adtr/metrics/roc.hpp"
#include "data.hpp"
#include "golden_values.hpp"
#include "support/catch.hpp"

namespace {

using Labels = std::vector<std::uint8_t>;

template <class T>
void check_golden() {
  for (const golden::Binary& expected : golden::binary) {
    INFO("seed " << expected.seed);
    const auto data = binary_data<T>(expected.seed, expected.n, expected.share, expected.shift, expected.levels);
    const adtr::Ranking ranking(data.scores, data.labels);
    CHECK(std::abs(adtr::auroc(ranking) - expected.auroc) < 1e-12);
    CHECK(std::abs(adtr::average_precision(ranking) - expected.average_precision) < 1e-12);
    CHECK(std::abs(adtr::f1_max(ranking).value - expected.f1_max) < 1e-12);
    CHECK(std::abs(adtr::f1_max(ranking).threshold - expected.f1_threshold) < 1e-12);
    CHECK(std::abs(adtr::passed_good(ranking, 0).share - expected.passed_good_0) < 1e-12);
    CHECK(std::abs(adtr::passed_good(ranking, 3).share - expected.passed_good_3) < 1e-12);
    CHECK(std::abs(adtr::found_bad(ranking, 0).share - expected.found_bad_0) < 1e-12);
    CHECK(std::abs(adtr::found_bad(ranking, 3).share - expected.found_bad_3) < 1e-12);
  }
}

struct CheckValue {
  Labels labels;
  std::vector<double> scores;
  double auroc, average_precision, f1, threshold;
};

}  // namespace

TEST_CASE("metrics of random and tied data equal scikit-learn's, in float and in double") {
  check_golden<float>();
  check_golden<double>();
}

TEST_CASE("the method's check values") {
  const std::vector<CheckValue> values{
      {{0, 0, 1, 1, 0}, {.13, .26, .08, .92, .03}, 2.0 / 3, 0.75, 2.0 / 3, .92},
      {{0, 0, 1, 1, 0, 1}, {1, 2, 2, 3, 2, 2}, 7.0 / 9, 11.0 / 15, 0.75, 2},
      {{0, 0, 1, 1}, {.1, .4, .35, .8}, 0.75, 5.0 / 6, 0.8, .35},
  };
  for (const CheckValue& v : values) {
    CHECK(adtr::auroc(v.scores, v.labels) == Approx(v.auroc).epsilon(1e-14));
    CHECK(adtr::average_precision(v.scores, v.labels) == Approx(v.average_precision).epsilon(1e-14));
    CHECK(adtr::f1_max(v.scores, v.labels).value == Approx(v.f1).epsilon(1e-14));
    CHECK(adtr::f1_max(v.scores, v.labels).threshold == v.threshold);
  }
}

TEST_CASE("a missing class makes every metric NaN, never 0.5") {
  for (const std::uint8_t label : {std::uint8_t{0}, std::uint8_t{1}}) {
    const std::vector<float> scores{1, 2, 3};
    const Labels labels(3, label);
    CHECK(std::isnan(adtr::auroc(scores, labels)));
    CHECK(std::isnan(adtr::average_precision(scores, labels)));
    CHECK(std::isnan(adtr::f1_max(scores, labels).value));
    CHECK(std::isnan(adtr::f1_max(scores, labels).threshold));
    CHECK(std::isnan(adtr::passed_good(scores, labels, 0).share));
    CHECK(std::isnan(adtr::found_bad(scores, labels, 0).share));
  }
  CHECK(std::isnan(adtr::auroc(std::vector<float>{}, Labels{})));
}

TEST_CASE("NaN scores and lists of different lengths are refused") {
  const std::vector<float> scores{1, std::numeric_limits<float>::quiet_NaN(), 3};
  CHECK_THROWS_WITH(adtr::auroc(scores, Labels{0, 1, 0}), "scores: expected numbers, found NaN at index 1 of 3");
  CHECK_THROWS_AS(adtr::auroc(std::vector<float>{1, 2}, Labels{0, 1, 1}), adtr::Error);
}

TEST_CASE("scores that are all equal give no ranking") {
  const std::vector<float> scores(1000, 2.5F);
  Labels labels(1000, 0);
  std::fill_n(labels.begin(), 100, std::uint8_t{1});
  CHECK(adtr::auroc(scores, labels) == 0.5);
  CHECK(adtr::average_precision(scores, labels) == Approx(0.1).epsilon(1e-14));
  CHECK(adtr::f1_max(scores, labels).value == Approx(200.0 / 1100).epsilon(1e-14));
  CHECK(adtr::passed_good(scores, labels, 99).share == 0.0);
  CHECK(adtr::passed_good(scores, labels, 100).share == 1.0);
  CHECK(adtr::found_bad(scores, labels, 899).share == 0.0);
  CHECK(std::isinf(adtr::found_bad(scores, labels, 0).threshold));
  CHECK(adtr::found_bad(scores, labels, 900).share == 1.0);
}

TEST_CASE("an AUROC below one half stays there, and does not depend on the order of ties") {
  const std::vector<double> scores{4, 3, 2, 1};
  CHECK(adtr::auroc(scores, Labels{0, 0, 1, 1}) == 0.0);
  CHECK(adtr::auroc(std::vector<double>{1, 1, 1, 0}, Labels{0, 1, 0, 1}) == 0.25);
  CHECK(adtr::auroc(std::vector<double>{1, 1, 1, 0}, Labels{1, 0, 0, 1}) == 0.25);
  CHECK(adtr::auroc(std::vector<float>{-0.0F, 0.0F}, Labels{0, 1}) == 0.5);
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(adtr::auroc(std::vector<float>{-infinity, infinity, 0}, Labels{0, 1, 0}) == 1.0);
}

TEST_CASE("the ROC curve has one point per distinct score, and its trapezoids add up to the AUROC") {
  const auto data = binary_data<float>(4, 2000, 0.4, 0.125, 16);
  const adtr::RocCurve curve = adtr::roc_curve(data.scores, data.labels);
  CHECK(curve.thresholds.size() == 1 + 18);  // sixteenths of [0, 1.125), and +∞
  CHECK(std::isinf(curve.thresholds.front()));
  CHECK(curve.true_positive_rates.back() == 1.0);
  CHECK(curve.false_positive_rates.back() == 1.0);
  double area = 0;
  for (std::size_t i = 1; i < curve.thresholds.size(); ++i) {
    CHECK(curve.thresholds[i] < curve.thresholds[i - 1]);
    area += 0.5 * (curve.true_positive_rates[i] + curve.true_positive_rates[i - 1]) *
            (curve.false_positive_rates[i] - curve.false_positive_rates[i - 1]);
  }
  CHECK(area == Approx(adtr::auroc(data.scores, data.labels)).epsilon(1e-12));
}

TEST_CASE("PGn and PBn hold at the threshold that they return") {
  const std::vector<double> scores{1, 2, 3, 4, 5, 3, 5, 6, 7};
  const Labels labels{0, 0, 0, 0, 0, 1, 1, 1, 1};
  CHECK(adtr::passed_good(scores, labels, 0).share == 0.4);  // score ≥ 3 rejected
  CHECK(adtr::passed_good(scores, labels, 0).threshold == 3);
  CHECK(adtr::passed_good(scores, labels, 1).share == 0.8);
  CHECK(adtr::passed_good(scores, labels, 2).share == 1.0);
  CHECK(adtr::found_bad(scores, labels, 0).share == 0.5);  // score ≥ 6: the good part at 5 passes
  CHECK(adtr::found_bad(scores, labels, 0).threshold == 6);
  CHECK(adtr::found_bad(scores, labels, 1).share == 0.75);
  CHECK(adtr::found_bad(scores, labels, 1).threshold == 5);
}

TEST_CASE("millions of tied scores are exact") {
  std::vector<float> scores(4'000'000);
  Labels labels(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    scores[i] = static_cast<float>(i % 2);
    labels[i] = i % 4 == 1 || i % 4 == 2 ? 1 : 0;  // half of each label at either score
  }
  CHECK(adtr::auroc(scores, labels) == 0.5);
  labels[1] = 0;  // one positive of the high score becomes a negative
  CHECK(adtr::auroc(scores, labels) < 0.5);
}

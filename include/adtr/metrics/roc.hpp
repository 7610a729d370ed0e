/// The receiver operating characteristic and the area under it.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "adtr/core/abi.hpp"
#include "adtr/metrics/ranking.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The area under the ROC curve by the trapezoidal rule over distinct scores: scikit-learn's roc_auc_score. It equals
/// the share of (positive, negative) pairs that are ranked correctly, where ties count half, and is summed in integers
/// (exact up to 6·10⁹ scores). A value below 0.5 is not mirrored. NaN if a class is missing.
template <std::floating_point T>
[[nodiscard]] double auroc(const Ranking<T>& ranking) {
  if (!ranking.has_both_classes()) return std::numeric_limits<double>::quiet_NaN();
  std::uint64_t twice_area = 0;
  std::uint64_t last_true = 0;
  std::uint64_t last_false = 0;
  ranking.for_each_step([&](T, std::uint64_t true_positives, std::uint64_t false_positives) {
    twice_area += (false_positives - last_false) * (true_positives + last_true);
    last_true = true_positives;
    last_false = false_positives;
  });
  return static_cast<double>(twice_area) / (2.0 * static_cast<double>(last_true) * static_cast<double>(last_false));
}

/// The same metric from scores and their labels (0 good, any other value defective).
template <ScoreRange S>
[[nodiscard]] double auroc(const S& scores, std::span<const std::uint8_t> labels) {
  return auroc(Ranking(scores, labels));
}

/// The point (0, 0) at threshold +∞, then one point for every distinct score, from the highest to the lowest.
struct RocCurve {
  std::vector<double> thresholds;            ///< score ≥ threshold is anomalous
  std::vector<double> false_positive_rates;  ///< NaN without negatives
  std::vector<double> true_positive_rates;   ///< NaN without positives
};

/// Returns all points, including those on a straight line: scikit-learn's roc_curve(drop_intermediate=False).
template <std::floating_point T>
[[nodiscard]] RocCurve roc_curve(const Ranking<T>& ranking) {
  const auto share = [](std::size_t count, std::size_t total) {
    return total == 0 ? std::numeric_limits<double>::quiet_NaN()
                      : static_cast<double>(count) / static_cast<double>(total);
  };
  RocCurve curve;
  const auto append = [&](double threshold, std::size_t true_positives, std::size_t false_positives) {
    curve.thresholds.push_back(threshold);
    curve.false_positive_rates.push_back(share(false_positives, ranking.negatives().size()));
    curve.true_positive_rates.push_back(share(true_positives, ranking.positives().size()));
  };
  append(std::numeric_limits<double>::infinity(), 0, 0);
  ranking.for_each_step([&](T score, std::size_t true_positives, std::size_t false_positives) {
    append(static_cast<double>(score), true_positives, false_positives);
  });
  return curve;
}

/// The same curve from scores and their labels (0 good, any other value defective).
template <ScoreRange S>
[[nodiscard]] RocCurve roc_curve(const S& scores, std::span<const std::uint8_t> labels) {
  return roc_curve(Ranking(scores, labels));
}

}  // namespace ADTR_ABI
}  // namespace adtr

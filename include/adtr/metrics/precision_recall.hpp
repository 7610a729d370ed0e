/// Average precision and the best F1 score.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "adtr/core/abi.hpp"
#include "adtr/metrics/ranking.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Σ (R_i − R_{i−1}) P_i over distinct scores, without interpolation: scikit-learn's average_precision_score. NaN if a
/// class is missing (scikit-learn returns 0 without positives and 1 without negatives).
template <std::floating_point T>
[[nodiscard]] double average_precision(const Ranking<T>& ranking) {
  if (!ranking.has_both_classes()) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  std::size_t last_true = 0;
  ranking.for_each_step([&](T, std::size_t true_positives, std::size_t false_positives) {
    sum += static_cast<double>(true_positives - last_true) * static_cast<double>(true_positives) /
           static_cast<double>(true_positives + false_positives);
    last_true = true_positives;
  });
  return sum / static_cast<double>(last_true);
}

/// The same metric from scores and their labels (0 good, any other value defective).
template <ScoreRange S>
[[nodiscard]] double average_precision(const S& scores, std::span<const std::uint8_t> labels) {
  return average_precision(Ranking(scores, labels));
}

struct F1Max {
  double value;      ///< 2·TP / (2·TP + FP + FN)
  double threshold;  ///< score ≥ threshold is anomalous
};

/// The highest F1 over all thresholds, and the threshold that gives it, which is one of the scores. Of several with the
/// same F1 (compared in integers) it is the highest threshold, which rejects the fewest parts. Both are NaN if a class
/// is missing.
template <std::floating_point T>
[[nodiscard]] F1Max f1_max(const Ranking<T>& ranking) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  if (!ranking.has_both_classes()) return {nan, nan};
  std::uint64_t best_true = 0;
  std::uint64_t best_total = 1;
  double threshold = nan;
  ranking.for_each_step([&](T score, std::uint64_t true_positives, std::uint64_t false_positives) {
    // 2·TP + FP + FN = (TP + FP) + (TP + FN): flagged + defective.
    const std::uint64_t total = true_positives + false_positives + ranking.positives().size();
    if (true_positives * best_total > best_true * total) {
      best_true = true_positives;
      best_total = total;
      threshold = static_cast<double>(score);
    }
  });
  return {2.0 * static_cast<double>(best_true) / static_cast<double>(best_total), threshold};
}

/// The same metric from scores and their labels (0 good, any other value defective).
template <ScoreRange S>
[[nodiscard]] F1Max f1_max(const S& scores, std::span<const std::uint8_t> labels) {
  return f1_max(Ranking(scores, labels));
}

}  // namespace ADTR_ABI
}  // namespace adtr

/// PGn and PBn, the figures by which a production line accepts an inspection machine: how many good parts pass if few
/// defects may be missed, and how many defects are found if few good parts may be rejected.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "adtr/core/abi.hpp"
#include "adtr/metrics/ranking.hpp"

namespace adtr {
inline namespace ADTR_ABI {

struct Passed {
  double share;      ///< of good parts passed (PGn) or of defects found (PBn); NaN if a class is missing
  double threshold;  ///< score ≥ threshold is anomalous; +∞ passes every part, −∞ passes none
};

/// PGn: the share of good parts that pass if at most `missed` defects may be missed, at the highest threshold that
/// misses no more. `missed` is a count of parts: for n per cent of the defects, pass their number times n / 100.
template <std::floating_point T>
[[nodiscard]] Passed passed_good(const Ranking<T>& ranking, std::size_t missed) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (!ranking.has_both_classes()) {
    return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  }
  const auto positives = ranking.positives();
  const auto negatives = ranking.negatives();
  if (missed >= positives.size()) return {1.0, infinity};
  const T threshold = positives[positives.size() - 1 - missed];
  const auto passed = std::count_if(negatives.begin(), negatives.end(), [&](T score) { return score < threshold; });
  return {static_cast<double>(passed) / static_cast<double>(negatives.size()), static_cast<double>(threshold)};
}

/// PBn: the share of defects found if at most `lost` good parts may be lost (rejected), at the lowest threshold among
/// the scores that loses no more. `lost` is a count of parts.
template <std::floating_point T>
[[nodiscard]] Passed found_bad(const Ranking<T>& ranking, std::size_t lost) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (!ranking.has_both_classes()) {
    return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  }
  const auto positives = ranking.positives();
  const auto negatives = ranking.negatives();
  if (lost >= negatives.size()) return {1.0, -infinity};
  // This good part must pass, so the threshold is the next score above its own.
  const T passing = negatives[lost];
  const auto above = [&](T score) { return score > passing; };
  const auto found = std::count_if(positives.begin(), positives.end(), above);
  const auto rejected = std::count_if(negatives.begin(), negatives.end(), above);
  double threshold = infinity;
  if (found > 0) threshold = static_cast<double>(positives[static_cast<std::size_t>(found) - 1]);
  if (rejected > 0) {
    threshold = (std::min)(threshold, static_cast<double>(negatives[static_cast<std::size_t>(rejected) - 1]));
  }
  return {static_cast<double>(found) / static_cast<double>(positives.size()), threshold};
}

/// The same metric from scores and their labels (0 good, any other value defective).
template <ScoreRange S>
[[nodiscard]] Passed passed_good(const S& scores, std::span<const std::uint8_t> labels, std::size_t missed) {
  return passed_good(Ranking(scores, labels), missed);
}

/// The same metric from scores and their labels (0 good, any other value defective).
template <ScoreRange S>
[[nodiscard]] Passed found_bad(const S& scores, std::span<const std::uint8_t> labels, std::size_t lost) {
  return found_bad(Ranking(scores, labels), lost);
}

}  // namespace ADTR_ABI
}  // namespace adtr

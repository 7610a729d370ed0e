/// The scores of a test set, split by class and sorted once. Every metric of a binary decision is computed from them.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <ranges>
#include <span>
#include <string>
#include <vector>

#include "adtr/core/abi.hpp"
#include "adtr/core/error.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Raw scores in memory: a span, vector or array of float or double.
template <class S>
concept ScoreRange = std::ranges::contiguous_range<S> && std::ranges::sized_range<S> &&
    std::floating_point<std::ranges::range_value_t<S>>;

namespace detail {

template <std::floating_point T>
void require_no_nan(std::span<const T> scores) {
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (std::isnan(scores[i])) {
      throw Error(
          "scores: expected numbers, found NaN at index " + std::to_string(i) + " of " + std::to_string(scores.size()),
          ErrorCode::bad_data);
    }
  }
}

}  // namespace detail

/// The scores of positives (defective) and of negatives (good), each from the highest to the lowest. A label other than
/// 0 means positive. Costs one copy of the scores and one sort, which AUROC, AP, F1-max, PGn and PBn then share. Two
/// sorted arrays of plain numbers take half the memory of sorted (score, label) pairs, which matters for ten million
/// pixels. Infinite scores are allowed. NaN and lists of different lengths throw Error.
template <std::floating_point T>
class Ranking {
 public:
  Ranking(std::span<const T> scores, std::span<const std::uint8_t> labels) {
    if (scores.size() != labels.size()) {
      throw Error("labels: expected one for each of " + std::to_string(scores.size()) + " scores, found " +
                      std::to_string(labels.size()),
                  ErrorCode::shape);
    }
    detail::require_no_nan(scores);
    const auto positives = static_cast<std::size_t>(
        std::count_if(labels.begin(), labels.end(), [](std::uint8_t label) { return label != 0; }));
    positives_.reserve(positives);
    negatives_.reserve(scores.size() - positives);
    for (std::size_t i = 0; i < scores.size(); ++i) (labels[i] != 0 ? positives_ : negatives_).push_back(scores[i]);
    std::sort(positives_.begin(), positives_.end(), std::greater<>{});
    std::sort(negatives_.begin(), negatives_.end(), std::greater<>{});
  }

  /// Descending.
  [[nodiscard]] std::span<const T> positives() const { return positives_; }
  /// Descending.
  [[nodiscard]] std::span<const T> negatives() const { return negatives_; }
  /// False if a class is missing. All metrics of the ranking are then NaN.
  [[nodiscard]] bool has_both_classes() const { return !positives_.empty() && !negatives_.empty(); }

  /// Calls visit(score, true_positives, false_positives) for every distinct score, from the highest to the lowest, with
  /// the counts under the rule "a score ≥ this one is anomalous". Tied scores are one step.
  template <class Visit>
  void for_each_step(Visit visit) const {
    std::size_t true_positives = 0;
    std::size_t false_positives = 0;
    while (true_positives < positives_.size() || false_positives < negatives_.size()) {
      const bool positive_next =
          true_positives < positives_.size() &&
          (false_positives == negatives_.size() || positives_[true_positives] >= negatives_[false_positives]);
      const T score = positive_next ? positives_[true_positives] : negatives_[false_positives];
      while (true_positives < positives_.size() && !(positives_[true_positives] < score)) ++true_positives;
      while (false_positives < negatives_.size() && !(negatives_[false_positives] < score)) ++false_positives;
      visit(score, true_positives, false_positives);
    }
  }

 private:
  std::vector<T> positives_;
  std::vector<T> negatives_;
};

template <ScoreRange S, class Labels>
Ranking(const S&, const Labels&) -> Ranking<std::ranges::range_value_t<S>>;

}  // namespace ADTR_ABI
}  // namespace adtr

/// Picks the images of a test set that a report shows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "adtr/core/abi.hpp"
#include "adtr/core/error.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Indices of the images to show, the most informative first.
struct PickedCases {
  std::vector<std::size_t> highest_good;       ///< good parts that would be rejected first, highest score first
  std::vector<std::size_t> lowest_defective;   ///< defects that would be missed first, lowest score first
  std::vector<std::size_t> highest_defective;  ///< defects that are found most clearly, highest score first
};

/// Picks at most `count` images per list; no image is in two lists. Label 0 means good, any other label means
/// defective. Ties are broken by index. If there are too few defective images for both lists, lowest_defective gets
/// half of them, rounded up.
[[nodiscard]] inline PickedCases pick_cases(std::span<const double> scores, std::span<const std::uint8_t> labels,
                                            std::size_t count) {
  if (scores.size() != labels.size()) {
    throw Error("labels: expected one for each of " + std::to_string(scores.size()) + " scores, found " +
                    std::to_string(labels.size()),
                ErrorCode::shape);
  }
  std::multimap<double, std::size_t> order;  // keeps the indices of equal scores in order
  for (std::size_t i = 0; i < scores.size(); ++i) order.emplace(scores[i], i);
  PickedCases picked;
  std::vector<std::size_t> defective;  // lowest score first
  for (const auto& [score, i] : order) (labels[i] != 0 ? defective : picked.highest_good).push_back(i);
  std::reverse(picked.highest_good.begin(), picked.highest_good.end());
  picked.highest_good.resize((std::min)(count, picked.highest_good.size()));
  const std::size_t hard = (std::min)(count, (defective.size() + 1) / 2);
  const std::size_t clear = (std::min)(count, defective.size() / 2);
  picked.lowest_defective.assign(defective.begin(), defective.begin() + static_cast<std::ptrdiff_t>(hard));
  picked.highest_defective.assign(defective.rbegin(), defective.rbegin() + static_cast<std::ptrdiff_t>(clear));
  return picked;
}

}  // namespace ADTR_ABI
}  // namespace adtr

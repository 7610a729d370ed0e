/// The verdict on a part: its score compared with a threshold.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The verdict on a part. Only a `good` part may pass; an `undecided` one may not.
enum class Verdict : std::uint8_t {
  undecided,  ///< there is no threshold, or the score is not a finite number
  good,       ///< score < threshold
  anomalous   ///< score ≥ threshold
};

/// The verdict's name, such as `undecided`.
[[nodiscard]] constexpr std::string_view name_of(Verdict verdict) {
  constexpr std::array<std::string_view, 3> names{"undecided", "good", "anomalous"};
  return names[static_cast<std::size_t>(verdict)];
}

/// The verdict on a score. A threshold of +∞ passes every part, one of −∞ passes none. The verdict is `undecided`
/// without a threshold, if the score or the threshold is NaN, and if the score is infinite.
[[nodiscard]] inline Verdict verdict_of(double score, std::optional<double> threshold) {
  // Comparisons instead of <cmath>, which would be half the cost of adtr/runtime.hpp. They are false for NaN.
  constexpr double max = (std::numeric_limits<double>::max)();
  if (!threshold || !(score >= -max && score <= max)) return Verdict::undecided;
  return score >= *threshold ? Verdict::anomalous : score < *threshold ? Verdict::good : Verdict::undecided;
}

}  // namespace ADTR_ABI
}  // namespace adtr

/// Numbers as text that reads back to the same number.
#pragma once

#include <array>
#include <charconv>
#include <string>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The shortest text that reads back to the same double, with a decimal point in every locale. Write every number that
/// decides, such as a threshold or a score, with it: `5.18136` for 5.181361198425293 would call a good part anomalous.
[[nodiscard]] inline std::string number_text(double value) {
  std::array<char, 40> digits{};
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
}

}  // namespace ADTR_ABI
}  // namespace adtr

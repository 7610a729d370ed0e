/// Which values of a mask file mark a defect.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "adtr/core/error.hpp"
#include "adtr/core/extents.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The result of mask_rule().
struct MaskRule {
  std::uint16_t threshold = 0;  ///< values above it mark a defect
  bool soft = false;            ///< the threshold is the middle of the mask's own range
  bool constant = false;        ///< all values of the mask are equal
};

namespace detail {

/// The smallest and the largest value within `radius` of (y, x), as far as the mask reaches.
struct Surroundings {
  std::uint16_t smallest;
  std::uint16_t largest;
};

inline Surroundings around(std::span<const std::uint16_t> values, Index width, Index y, Index x, Index radius) {
  const Index height = static_cast<Index>(values.size()) / width;
  Surroundings found{0xFFFF, 0};
  for (Index v = std::max<Index>(y - radius, 0); v <= (std::min)(y + radius, height - 1); ++v)
    for (Index u = std::max<Index>(x - radius, 0); u <= (std::min)(x + radius, width - 1); ++u) {
      const std::uint16_t value = values[static_cast<std::size_t>(v * width + u)];
      found.smallest = (std::min)(found.smallest, value);
      found.largest = (std::max)(found.largest, value);
    }
  return found;
}

/// Whether values between the smallest and the largest are more than the slope of an edge. If the mask has few distinct
/// values, each pixel must lie between a smaller and a larger neighbour; if it has many, no 5x5 pixels well inside the
/// range may have one value (within `noise`).
inline bool has_areas_between(std::span<const std::uint16_t> values, Index width, const std::vector<int>& distinct,
                              bool few, int noise) {
  const int low = distinct.front();
  const int high = distinct.back();
  const int margin = few ? 1 : (high - low) / 4;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int value = values[i];
    if (value < low + margin || value > high - margin) continue;
    const auto at = static_cast<Index>(i);
    const auto [smallest, largest] = around(values, width, at / width, at % width, few ? 1 : 2);
    if (few ? smallest == value || largest == value : largest - smallest <= noise) return true;
  }
  return false;
}

/// Lists the values as "0, 85, 170 and 255", or as "from 0 to 255" if there are more than 8, in units of the file's own
/// values.
inline std::string list_values(const std::vector<int>& distinct, int unit) {
  if (distinct.size() > 8)
    return "from " + std::to_string(distinct.front() / unit) + " to " + std::to_string(distinct.back() / unit);
  std::string text;
  for (std::size_t i = 0; i < distinct.size(); ++i) {
    text += i == 0 ? "" : i + 1 == distinct.size() ? " and " : ", ";
    text += std::to_string(distinct[i] / unit);
  }
  return text;
}

}  // namespace detail

/// Finds the rule for a mask whose values come in rows of `width`, at 16 bits (8-bit values are multiples of 257).
///
/// - One value, or two of which one is 0: values above 0 mark a defect, so 0/1, 0/255 and 0/65535 mean the same.
/// - Integers from 0 to at most 31 in a lossless file are class labels with 0 as background: values above 0 mark a
///   defect.
/// - Otherwise the mask is soft: values above the middle of its own range, (smallest + largest) / 2, mark a defect.
///   JPEG and resizing smear every edge; with a threshold of 0 the marked area would grow by a seventh or more.
///
/// The middle of the range could silently drop a class of a label map, and could mistake noise on a black JPEG for
/// defects. Such cases are not guessed. Throws bad_data if
/// - the range is at most a quarter of what the file can hold (classes 1 and 2 without a 0, an almost black JPEG);
/// - areas have values between the smallest and the largest (0, 85, 170 and 255): in a lossless file of up to 8 values,
///   any pixel that does not lie between a smaller and a larger neighbour; otherwise 5x5 pixels of one value.
[[nodiscard]] inline MaskRule mask_rule(std::span<const std::uint16_t> values, Index width, bool lossy,
                                        const std::string& path) {
  std::vector<bool> seen(65536);
  for (const std::uint16_t value : values) seen[value] = true;
  std::vector<int> distinct;
  bool bytes = true;
  for (int value = 0; value < 65536; ++value) {
    if (!seen[static_cast<std::size_t>(value)]) continue;
    distinct.push_back(value);
    bytes = bytes && value % 257 == 0;
  }
  const int unit = bytes ? 257 : 1;
  const int low = distinct.front();
  const int high = distinct.back();
  constexpr int quarter = 65535 / 4;
  const auto unclear = [&](const std::string& why) {
    return file_error(path,
                      "it is unclear what this mask marks: " + why + detail::list_values(distinct, unit) +
                          "; expected two values, 0 for good and another for a defect",
                      ErrorCode::bad_data);
  };
  const bool constant = distinct.size() == 1;
  const bool plain = constant || (distinct.size() == 2 && low == 0);
  if (plain && (!lossy || high == 0 || high > quarter)) return {0, false, constant};
  if (!lossy && low == 0 && high / unit < 32) return {};
  if (high - low <= quarter) throw unclear("its values are close together, ");
  const bool few = !lossy && distinct.size() <= 8;
  if (detail::has_areas_between(values, width, distinct, few, lossy ? 8 * 257 : 0))
    throw unclear("it has areas of several values, ");
  return {static_cast<std::uint16_t>((low + high) / 2), true, false};
}

}  // namespace ADTR_ABI
}  // namespace adtr

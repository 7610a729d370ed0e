/// The geometry of resize_area(), which the backends share; Reference computes its own.
#pragma once

#include "adtr/core/extents.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The input pixels under one output pixel, in one direction. Their weights, which sum to 1, are the shares of the cell
/// that they cover.
struct AreaCell {
  Index first = 0, count = 1;
  float head = 1.0F;   ///< weight of the first pixel
  float inner = 0.0F;  ///< weight of each pixel between the first and the last
  float tail = 0.0F;   ///< weight of the last pixel, if there are two or more
};

/// The cell of output pixel o of a line of `out` pixels: [o·in/out, (o + 1)·in/out) of a line of `in` pixels. All
/// lengths are integers in units of 1/out, so a pixel that only touches the cell does not count.
[[nodiscard]] constexpr AreaCell area_cell(Index o, Index in, Index out) {
  const Index begin = o * in, end = begin + in;
  const Index first = begin / out, last = (end - 1) / out;
  const auto whole = static_cast<float>(in);
  const Index head = (first < last ? (first + 1) * out : end) - begin;
  return {first, last - first + 1, static_cast<float>(head) / whole, static_cast<float>(out) / whole,
          static_cast<float>(end - last * out) / whole};
}

}  // namespace ADTR_ABI
}  // namespace adtr

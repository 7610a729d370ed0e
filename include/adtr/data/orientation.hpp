/// The orientation tag of Exif, and how to turn pixels upright by it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "adtr/core/extents.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// Reads the orientation, 1 to 8, from a block of Exif: a TIFF header of either byte order, whose first directory may
/// hold the tag 0x0112. If the block lacks the tag, holds another value or is damaged, returns 1 (upright), as viewers
/// do.
[[nodiscard]] inline int exif_orientation(std::span<const std::uint8_t> block) {
  static constexpr std::array<std::uint8_t, 6> prefix{'E', 'x', 'i', 'f', 0, 0};  // in JPEG, sometimes in PNG too
  if (block.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), block.begin()))
    block = block.subspan(prefix.size());
  if (block.size() < 8 || block[0] != block[1] || (block[0] != 'I' && block[0] != 'M')) return 1;
  const bool little = block[0] == 'I';
  const auto number = [&](std::size_t at, std::size_t n) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < n; ++i) value = value << 8 | block[at + (little ? n - 1 - i : i)];
    return value;
  };
  const std::size_t directory = number(4, 4);
  if (number(2, 2) != 42 || directory > block.size() - 2) return 1;
  const std::size_t entries = (std::min)(number(directory, 2), (block.size() - directory - 2) / 12);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;  // tag, type, count, value
    if (number(entry, 2) != 0x0112) continue;
    const std::size_t type = number(entry + 2, 2);
    const std::size_t bytes = type == 1 ? 1 : type == 3 ? 2 : type == 4 ? 4 : 0;
    if (bytes == 0 || number(entry + 4, 4) == 0) return 1;
    const std::size_t value = number(entry + 8, bytes);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

/// Whether the width of the upright image is the height of the stored one.
[[nodiscard]] constexpr bool swaps_sides(int orientation) { return orientation >= 5; }

/// Visits the pixels, C values each, of an image stored as (height, width), in upright order. `visit(i, pixel)` gets
/// the pixel's index in the upright image, which is (width, height) if the orientation swaps sides, and a pointer to
/// its values. The Exif number says where the stored first row and first column are seen: 1 top left, 2 top right, 3
/// bottom right, 4 bottom left, 5 left top, 6 right top, 7 right bottom, 8 left bottom.
template <std::size_t C, class T, class Visit>
void visit_upright(const T* stored, Index height, Index width, int orientation, Visit visit) {
  const bool swap = swaps_sides(orientation);
  const bool last_row_first = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool last_column_first = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  constexpr auto channels = static_cast<Index>(C);
  const Index row = width * channels;
  const T* corner = stored + (last_row_first ? (height - 1) * row : 0) + (last_column_first ? row - channels : 0);
  const Index along_rows = last_row_first ? -row : row;
  const Index along_columns = last_column_first ? -channels : channels;
  const Index out_height = swap ? width : height;
  const Index out_width = swap ? height : width;
  const Index down = swap ? along_columns : along_rows;
  const Index across = swap ? along_rows : along_columns;
  // Visited in tiles, because the columns of a large image are far apart in memory.
  constexpr Index tile = 64;
  for (Index y0 = 0; y0 < out_height; y0 += tile)
    for (Index x0 = 0; x0 < out_width; x0 += tile)
      for (Index y = y0; y < (std::min)(y0 + tile, out_height); ++y)
        for (Index x = x0; x < (std::min)(x0 + tile, out_width); ++x)
          visit(y * out_width + x, corner + y * down + x * across);
}

}  // namespace detail

}  // namespace ADTR_ABI
}  // namespace adtr

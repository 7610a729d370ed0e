/// Connected regions of a defect mask.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "adtr/core/abi.hpp"
#include "adtr/core/error.hpp"

namespace adtr {
inline namespace ADTR_ABI {

struct Regions {
  std::vector<std::uint32_t> labels;  ///< (H, W): 0 outside the regions, otherwise 1 + the region's index
  std::vector<std::size_t> sizes;     ///< number of pixels of each region
};

/// The 8-connected regions of the nonzero values of mask (H, W), numbered by their first pixel, row by row. Throws
/// Error if the mask does not have height · width values.
[[nodiscard]] inline Regions label_regions(std::span<const std::uint8_t> mask, std::size_t height, std::size_t width) {
  if (mask.size() != height * width) {
    throw Error("mask: expected " + std::to_string(height) + "×" + std::to_string(width) + " pixels, found " +
                    std::to_string(mask.size()),
                ErrorCode::shape);
  }
  Regions regions;
  regions.labels.assign(mask.size(), 0);
  std::vector<std::size_t> open;  // not recursive: a region may be as large as the image
  for (std::size_t seed = 0; seed < mask.size(); ++seed) {
    if (mask[seed] == 0 || regions.labels[seed] != 0) continue;
    regions.sizes.push_back(0);
    const auto label = static_cast<std::uint32_t>(regions.sizes.size());
    regions.labels[seed] = label;
    open.push_back(seed);
    while (!open.empty()) {
      const std::size_t pixel = open.back();
      open.pop_back();
      ++regions.sizes.back();
      const std::size_t y = pixel / width;
      const std::size_t x = pixel % width;
      for (std::size_t v = y == 0 ? 0 : y - 1; v < height && v <= y + 1; ++v) {
        for (std::size_t u = x == 0 ? 0 : x - 1; u < width && u <= x + 1; ++u) {
          const std::size_t neighbour = v * width + u;
          if (mask[neighbour] == 0 || regions.labels[neighbour] != 0) continue;
          regions.labels[neighbour] = label;
          open.push_back(neighbour);
        }
      }
    }
  }
  return regions;
}

}  // namespace ADTR_ABI
}  // namespace adtr

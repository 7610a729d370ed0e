/// Mirror images: they show a part in more positions without more photographs.
#pragma once

#include <algorithm>
#include <array>

#include "adtr/data/image.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// How an image is mirrored; both together rotate it by 180 degrees.
struct Mirror {
  bool across = false;  ///< swaps left and right
  bool down = false;    ///< swaps top and bottom
  bool operator==(const Mirror&) const = default;
};

/// The original image and its three mirror images.
inline constexpr std::array<Mirror, 4> mirrors{Mirror{false, false}, Mirror{true, false}, Mirror{false, true},
                                               Mirror{true, true}};

/// Error: shape, of an image whose size and pixels disagree.
[[nodiscard]] inline Image mirrored(Image image, Mirror mirror) {
  detail::check_pixels("image", image.height, image.width, Image::channels, image.data.size());
  const Index bytes = image.width * Image::channels;
  if (mirror.down)
    for (Index y = 0; y < image.height / 2; ++y)
      std::swap_ranges(image.row(y), image.row(y) + bytes, image.row(image.height - 1 - y));
  if (mirror.across)
    for (Index y = 0; y < image.height; ++y)
      for (Index x = 0; x < image.width / 2; ++x)
        std::swap_ranges(image.row(y) + x * Image::channels, image.row(y) + (x + 1) * Image::channels,
                         image.row(y) + (image.width - 1 - x) * Image::channels);
  return image;
}

}  // namespace ADTR_ABI
}  // namespace adtr

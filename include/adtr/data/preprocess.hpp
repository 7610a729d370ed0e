/// Normalises 8-bit RGB to a backbone's input: (x / 255 − mean) / std per channel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "adtr/data/image.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Writes the normalised image to `out`, (height, width, 3). `mean` and `std` must be those that the backbone's weights
/// were trained with, for channels in 0..1 (Numerics): wrong ones silently cost accuracy. With T = float each value
/// equals that of PyTorch's ToTensor and Normalize: each of the three operations is rounded to float.
template <class T>
void normalise(const Image& image, const std::array<float, 3>& mean, const std::array<float, 3>& std, T* out) {
  // A channel has 256 possible values: divide twice per value, not twice per pixel.
  std::array<std::array<T, 256>, 3> table;
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t x = 0; x < 256; ++x) {
      table[c][x] = (static_cast<T>(x) / T{255} - static_cast<T>(mean[c])) / static_cast<T>(std[c]);
    }
  }
  const std::uint8_t* pixel = image.data.data();
  const std::uint8_t* end = pixel + image.data.size();
  for (; pixel != end; pixel += 3, out += 3) {
    out[0] = table[0][pixel[0]];
    out[1] = table[1][pixel[1]];
    out[2] = table[2][pixel[2]];
  }
}

}  // namespace ADTR_ABI
}  // namespace adtr

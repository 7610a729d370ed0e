/// From 8-bit RGB to what a backbone takes: (x / 255 − mean) / std, channel by channel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "adtr/data/image.hpp"

namespace adtr::inline ADTR_ABI {

/// The mean and standard deviation that a backbone's weights were trained with, for channels in 0..1. They belong to
/// the weights: the wrong ones cost accuracy without a sign.
struct Normalisation {
  std::array<float, 3> mean{0.485F, 0.456F, 0.406F};
  std::array<float, 3> std{0.229F, 0.224F, 0.225F};

  /// torchvision's and timm's, of most ImageNet weights.
  [[nodiscard]] static constexpr Normalisation imagenet() { return {}; }
  /// (x − 127) / 128 on 0..255, of the EfficientNet-Lite weights made for TensorFlow Lite.
  [[nodiscard]] static constexpr Normalisation tf_lite() {
    constexpr float mean = 127.0F / 255.0F;
    constexpr float deviation = 128.0F / 255.0F;
    return {{mean, mean, mean}, {deviation, deviation, deviation}};
  }

  friend bool operator==(const Normalisation&, const Normalisation&) = default;
};

/// Writes the normalised image to `out`, (height, width, 3). In T = float each value is the one that PyTorch's
/// ToTensor and Normalize give: each of the three operations rounded to float.
template <class T>
void normalise(const Image& image, const Normalisation& normalisation, T* out) {
  // A pixel has 256 values: two divisions for each of those, not for each pixel.
  std::array<std::array<T, 256>, 3> table;
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t x = 0; x < 256; ++x) {
      table[c][x] =
          (static_cast<T>(x) / T{255} - static_cast<T>(normalisation.mean[c])) / static_cast<T>(normalisation.std[c]);
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

}  // namespace adtr::inline ADTR_ABI

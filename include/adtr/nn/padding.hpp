/// Where a convolution's window begins: the one difference between the layers of PyTorch's and TensorFlow's backbones.
#pragma once

#include <algorithm>

#include "adtr/backend/arguments.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Both modes give ceil(size / stride) outputs; they differ in where the windows of stride-2 convolutions lie.
enum class Padding : std::uint8_t {
  symmetric,  ///< (k − 1)/2 on each side, as in timm's and torchvision's own weights
  same        ///< TensorFlow's SAME: total max((ceil(i/s) − 1)·s + k − i, 0), smaller half first
};

namespace detail {
constexpr Index leading_padding(Index input, Index kernel, Index stride, Padding padding) {
  if (padding == Padding::symmetric) return (kernel - 1) / 2;
  const Index outputs = (input + stride - 1) / stride;
  return (std::max)((outputs - 1) * stride + kernel - input, Index{0}) / 2;
}
}  // namespace detail

/// The window of a k×k convolution over a map of the given height and width.
[[nodiscard]] constexpr Window window(Index height, Index width, Index kernel, Index stride, Padding padding) {
  return {kernel, stride, detail::leading_padding(height, kernel, stride, padding),
          detail::leading_padding(width, kernel, stride, padding)};
}

}  // namespace ADTR_ABI
}  // namespace adtr

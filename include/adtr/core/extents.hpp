/// The shape of a feature map, known at compile time.
#pragma once

#include <cstddef>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Sizes, strides and offsets. Signed, so that differences and loops that count down mean what they say.
using Index = std::ptrdiff_t;

/// Height, width and channels of one image's feature map, channels last. A feature map of H·W pixels is also the token
/// matrix (H·W, C): a token is a pixel.
template <Index Height, Index Width, Index Channels>
struct Extents {
  static_assert(Height > 0 && Width > 0 && Channels > 0, "Extents are positive");
  static constexpr Index height = Height;
  static constexpr Index width = Width;
  static constexpr Index channels = Channels;
  static constexpr Index positions = Height * Width;
  static constexpr Index size = positions * Channels;
};

/// The input of a backbone: an RGB image of the given size.
template <Index Height, Index Width>
using ImageShape = Extents<Height, Width, 3>;

}  // namespace ADTR_ABI
}  // namespace adtr

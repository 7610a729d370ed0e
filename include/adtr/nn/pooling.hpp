/// How a backbone's taps are resized to the grid. A header of few includes, because adtr/runtime.hpp shares it.
#pragma once

#include <cstdint>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {

enum class Pooling : std::uint8_t {
  bilinear,  ///< interpolates at the grid's positions, corners aligned: the paper's
  area       ///< takes the mean over each cell of the grid, so that every pixel of a tap counts
};

[[nodiscard]] constexpr const char* name_of(Pooling pooling) {
  return pooling == Pooling::bilinear ? "bilinear" : "area";
}

}  // namespace ADTR_ABI
}  // namespace adtr

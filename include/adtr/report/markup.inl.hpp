/// encode_png() of markup.hpp, which needs stb; see core/compiled.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "adtr/core/compiled.hpp"
#include "adtr/core/error.hpp"
#include "adtr/data/stb.hpp"
#include "adtr/report/markup.hpp"

namespace adtr {
inline namespace ADTR_ABI {

ADTR_FUNCTION std::vector<std::uint8_t> encode_png(const Picture& picture) {
  constexpr std::size_t largest = 1U << 20U;  // stb counts in int
  if (picture.height == 0 || picture.width == 0 || picture.height > largest || picture.width > largest ||
      picture.rgb.size() != picture.height * picture.width * 3) {
    throw Error("picture: expected " + std::to_string(picture.height) + "×" + std::to_string(picture.width) +
                    "×3 values with 1 to " + std::to_string(largest) + " pixels per side, found " +
                    std::to_string(picture.rgb.size()) + " values",
                ErrorCode::shape);
  }
  std::vector<std::uint8_t> png;
  const auto append = [](void* context, void* data, int size) {
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    auto& out = *static_cast<std::vector<std::uint8_t>*>(context);
    out.insert(out.end(), bytes, bytes + size);
  };
  const int width = static_cast<int>(picture.width);
  if (stb::stbi_write_png_to_func(append, &png, width, static_cast<int>(picture.height), 3, picture.rgb.data(),
                                  3 * width) == 0) {
    throw Error("picture: out of memory while writing PNG", ErrorCode::no_resources);
  }
  return png;
}

}  // namespace ADTR_ABI
}  // namespace adtr

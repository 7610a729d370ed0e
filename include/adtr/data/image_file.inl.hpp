/// The functions of image_file.hpp; see core/compiled.hpp.
#pragma once

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "adtr/core/compiled.hpp"
#include "adtr/data/decode.hpp"
#include "adtr/data/image_file.hpp"
#include "adtr/data/mask_rule.hpp"
#include "adtr/data/orientation.hpp"
#include "adtr/io/atomic_file.hpp"
#include "adtr/io/png_mark.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

inline ImageHeader header_of(const ImageFormat& format) {
  ImageHeader header{format.name, format.height, format.width, format.orientation};
  if (swaps_sides(header.orientation)) std::swap(header.height, header.width);
  return header;
}

}  // namespace detail

ADTR_FUNCTION ImageHeader read_image_header(const std::filesystem::path& path) {
  return detail::header_of(detail::check_format(detail::read_bytes(path), path.string()));
}

ADTR_FUNCTION Image read_image(const std::filesystem::path& path, ImageHeader* header) {
  const auto stored = detail::decode_file<std::uint8_t>(stb::stbi_load_from_memory, path, Image::channels);
  const std::uint8_t* const pixels = stored.pixels.get();
  Image image;
  if (header != nullptr) *header = detail::header_of(stored.format);
  if (stored.format.orientation == 1) {
    image.height = stored.height;
    image.width = stored.width;
    image.data.assign(pixels, pixels + stored.height * stored.width * Image::channels);
    return image;
  }
  const bool swap = detail::swaps_sides(stored.format.orientation);
  image.resize(swap ? stored.width : stored.height, swap ? stored.height : stored.width);
  detail::visit_upright<Image::channels>(
      pixels, stored.height, stored.width, stored.format.orientation,
      [out = image.data.data()](Index i, const std::uint8_t* pixel) { std::copy_n(pixel, 3, out + 3 * i); });
  return image;
}

ADTR_FUNCTION Mask read_mask(const std::filesystem::path& path) {
  // Read at 16 bits, so that a mask whose defects have the value 1 of 65535 keeps them.
  const auto stored = detail::decode_file<std::uint16_t>(stb::stbi_load_16_from_memory, path, Image::channels);
  const bool swap = detail::swaps_sides(stored.format.orientation);
  Mask mask(swap ? stored.width : stored.height, swap ? stored.height : stored.width);
  std::vector<std::uint16_t> values(mask.data.size());
  detail::visit_upright<Image::channels>(stored.pixels.get(), stored.height, stored.width, stored.format.orientation,
                                         [out = values.data()](Index i, const std::uint16_t* p) {
                                           out[i] = (std::max)({p[0], p[1], p[2]});
                                         });
  const MaskRule rule = mask_rule(values, mask.width, stored.format.name == "JPEG", path.string());
  const bool has_alpha = stored.channels == 2 || stored.channels == 4;
  if (has_alpha && rule.constant && detail::alpha_varies(path)) {
    throw file_error(path.string(),
                     "the mask is in the alpha channel, and the colours are constant; expected the mask in the colours",
                     ErrorCode::bad_data);
  }
  mask.soft = rule.soft;
  for (std::size_t i = 0; i < values.size(); ++i) mask.data[i] = values[i] > rule.threshold ? 255 : 0;
  return mask;
}

ADTR_FUNCTION void write_png(const std::filesystem::path& path, const ImageView& view, std::string_view software) {
  const Image image = to_image(view);
  const std::int64_t bytes = view.height * (view.width * Image::channels + 1);
  if (bytes > INT_MAX / 2)
    throw file_error(path.string(), "cannot be written: it has more pixels than adtr writes to a PNG file",
                     ErrorCode::file_unwritable);
  int size = 0;
  const detail::Decoded<std::uint8_t> png(stb::stbi_write_png_to_mem(
      image.data.data(), static_cast<int>(image.width * Image::channels), static_cast<int>(image.width),
      static_cast<int>(image.height), Image::channels, &size));
  if (!png) throw file_error(path.string(), "cannot be written: out of memory", ErrorCode::no_resources);
  const auto whole = std::as_bytes(std::span(png.get(), static_cast<std::size_t>(size)));
  AtomicFile file(path.string());
  software.empty() ? file.write(whole) : file.write(png_with_software(whole, software));
  file.commit();
}

}  // namespace ADTR_ABI
}  // namespace adtr

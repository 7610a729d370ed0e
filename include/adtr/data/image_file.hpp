/// Image files: reads PNG, JPEG and BMP, writes PNG. Every error names the file and says in one sentence what is wrong.
#pragma once

#include <algorithm>
#include <array>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adtr/core/error.hpp"
#include "adtr/data/file_bytes.hpp"
#include "adtr/data/foreign_file.hpp"
#include "adtr/data/image.hpp"
#include "adtr/data/image_format.hpp"
#include "adtr/data/jpeg_scans.hpp"
#include "adtr/data/mask_rule.hpp"
#include "adtr/data/orientation.hpp"
#include "adtr/data/stb.hpp"
#include "adtr/io/atomic_file.hpp"
#include "adtr/io/png_mark.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// Maximum number of pixels of an image: 16384 x 16384, which take 800 MB in memory. More than that means a damaged
/// header.
inline constexpr std::int64_t max_pixels = std::int64_t{1} << 28;

/// Throws unless the bytes are a complete image of a format that adtr reads, with a sensible size and without damage
/// that its checksums and its structure show.
inline ImageFormat check_format(std::span<const std::uint8_t> bytes, const std::string& path) {
  const auto bad = [&](const std::string& sentence) { return file_error(path, sentence, ErrorCode::bad_image); };
  if (bytes.empty()) throw bad("expected an image, found an empty file (0 bytes)");
  const auto format = image_format(bytes);
  if (!format) {
    const std::string_view known = foreign_name(bytes);
    if (known.empty()) throw bad("not an image: expected PNG, JPEG or BMP");
    throw bad("is " + std::string(known) + "; adtr reads PNG, JPEG and BMP");
  }
  const std::string name(format->name);
  if (!format->unread.empty()) throw bad(format->unread);
  if (!format->flaw.empty()) throw bad("damaged " + name + ": " + format->flaw);
  if (!format->whole) {
    throw bad("truncated " + name + ": the file's " + std::to_string(bytes.size()) +
              " bytes end before the image does");
  }
  const std::string size = std::to_string(format->height) + "x" + std::to_string(format->width);
  if (format->height < 1 || format->width < 1) throw bad(name + " without pixels (" + size + ")");
  if (format->height > max_pixels / format->width)
    throw bad(name + " of " + size + " pixels, expected at most " + std::to_string(max_pixels));
  return *format;
}

struct FreeStb {
  void operator()(void* pixels) const { std::free(pixels); }
};

/// The short reason that stb gives for a failure. It may quote bytes of the file, so unprintable characters become `?`.
inline std::string stb_reason() {
  const char* words = stb::stbi_failure_reason();
  std::string reason = words == nullptr || *words == '\0' ? "cannot be decoded" : words;
  for (char& c : reason)
    if (c < ' ' || c > '~') c = '?';
  return reason;
}

template <class T>
using Decoded = std::unique_ptr<T[], FreeStb>;

inline Error out_of_memory(const std::string& path, const ImageFormat& format) {
  return file_error(
      path,
      "not enough memory for its " + std::to_string(format.height) + "x" + std::to_string(format.width) + " pixels",
      ErrorCode::no_resources);
}

/// An image as stb returns it, before its orientation is applied.
template <class T>
struct Stored {
  Decoded<T> pixels;  ///< (height, width, requested channels)
  Index height;
  Index width;
  int channels;  ///< channels of the file
  ImageFormat format;
};

/// Viewers take CMYK in a JPEG as inverted, as Adobe stores it, even if the file has no Adobe marker. stb does not, so
/// this function edits or inserts the marker that tells it.
inline void mark_cmyk(std::vector<std::uint8_t>& bytes, const ImageFormat& format) {
  if (format.components != 4 || format.name != "JPEG") return;
  if (format.adobe != 0) {
    if (bytes[format.adobe] != 0) bytes[format.adobe] = 2;  // YCCK
    return;
  }
  static constexpr std::array<std::uint8_t, 16> marker{0xFF, 0xEE, 0,   14, 'A', 'd', 'o', 'b',
                                                       'e',  0,    100, 0,  0,   0,   0,   0};
  bytes.insert(bytes.begin() + 2, marker.begin(), marker.end());
}

/// Decodes an image of any depth to `channels` channels of 8 or 16 bits, with one of stb's two decoders. Error: as
/// read_image, except for errors of the path.
template <class T, class Decode>
Stored<T> decode(Decode load, std::vector<std::uint8_t>& bytes, const std::string& path, int channels) {
  Stored<T> stored{nullptr, 0, 0, 0, check_format(bytes, path)};
  const std::string name(stored.format.name);
  if (stored.format.name == "JPEG") {
    if (const char* flaw = jpeg_scan_flaw(bytes))
      throw file_error(path, "damaged JPEG: " + std::string(flaw), ErrorCode::bad_image);
  }
  mark_cmyk(bytes, stored.format);
  int w = 0;
  int h = 0;
  stb::zlib_checksum = stb::ZlibChecksum::unseen;
  stored.pixels.reset(load(bytes.data(), static_cast<int>(bytes.size()), &w, &h, &stored.channels, channels));
  if (!stored.pixels) {
    if (stb::zlib_checksum == stb::ZlibChecksum::wrong) {
      throw file_error(path, "damaged PNG: the checksum of its compressed pixels is wrong", ErrorCode::bad_image);
    }
    const std::string reason = stb_reason();
    if (reason == "outofmem") throw out_of_memory(path, stored.format);
    throw file_error(path, "damaged or unsupported " + name + " (" + reason + ")", ErrorCode::bad_image);
  }
  if (stored.format.name == "PNG" && stb::zlib_checksum == stb::ZlibChecksum::unseen)
    throw file_error(path,
                     "cannot be verified: this program was built with an stb_image whose PNG decoder adtr does "
                     "not know");
  stored.height = h;
  stored.width = w;
  return stored;
}

/// Reads the file and decodes it. An error for lack of memory names the file.
template <class T, class Decode>
Stored<T> decode_file(Decode load, const std::filesystem::path& path, int channels) {
  try {
    auto bytes = read_bytes(path);
    return decode<T>(load, bytes, path.string(), channels);
  } catch (const std::bad_alloc&) {
    throw file_error(path.string(), "not enough memory to read it", ErrorCode::no_resources);
  }
}

/// Whether the fourth channel of an image has more than one value.
inline bool alpha_varies(const std::filesystem::path& path) {
  const auto stored = decode_file<std::uint16_t>(stb::stbi_load_16_from_memory, path, 4);
  const std::uint16_t* const pixels = stored.pixels.get();
  for (Index i = 1; i < stored.height * stored.width; ++i)
    if (pixels[4 * i + 3] != pixels[3]) return true;
  return false;
}

}  // namespace detail

/// What an image file says about itself.
struct ImageHeader {
  std::string_view format;  ///< "PNG", "JPEG" or "BMP"
  Index height = 0;         ///< of the upright image, as read_image returns it
  Index width = 0;
  int orientation = 1;  ///< the tag that read_image applies, 1 to 8; 1 if the file has none
};

namespace detail {

inline ImageHeader header_of(const ImageFormat& format) {
  ImageHeader header{format.name, format.height, format.width, format.orientation};
  if (swaps_sides(header.orientation)) std::swap(header.height, header.width);
  return header;
}

}  // namespace detail

/// Reads the properties of an image without decoding its pixels. The whole file is read, and a PNG's chunks are
/// verified. Error: as read_image, except for damage that only decoding shows.
[[nodiscard]] inline ImageHeader read_image_header(const std::filesystem::path& path) {
  return detail::header_of(detail::check_format(detail::read_bytes(path), path.string()));
}

/// Reads a PNG, JPEG or BMP file as 8-bit RGB, upright. As in Pillow's convert("RGB"), grey is repeated in the three
/// channels, an alpha channel is dropped (not blended), and palettes are resolved. The camera's orientation is applied
/// as viewers, OpenCV and Pillow's exif_transpose do: tag 0x0112 in the Exif block of a JPEG (APP1) or a PNG (eXIf). If
/// the tag is missing, damaged or not a number from 1 to 8, the pixels keep their stored order. (The copy of the tag in
/// XMP is ignored.) CMYK is read as Adobe stores it, with or without Adobe's marker. For an animated PNG the still
/// image is read. Bytes after the end of the image are ignored. 16-bit values are reduced to their upper byte (v >> 8,
/// as libpng and Pillow do for colour): if a camera stores 12 bits in the low bits of 16, the caller must scale them,
/// see ImageView.
///
/// Damage is refused where it can be detected. PNG: the checksums of the chunks and of the pixels show any change. JPEG
/// has no checksum: a truncated file, coded data that ends before the image or continues after it, and impossible codes
/// are detected; a changed bit that leaves the decoder in step is not, see jpeg_scans.hpp. BMP: only a file that is too
/// short or an impossible header is detected.
///
/// Error: file_missing (no such file, a link to nothing, an empty path), file_unreadable (no permission, a loop of
/// links, a folder, a pipe or a device), bad_image (empty, of another format, truncated, damaged, without pixels, more
/// than 2^28 pixels), no_resources (too little memory).
///
/// If `header` is not null, it receives what read_image_header() returns.
[[nodiscard]] inline Image read_image(const std::filesystem::path& path, ImageHeader* header = nullptr) {
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

/// Reads a mask, upright as read_image does: 255 where it marks a defect, otherwise 0. The largest of the three colours
/// decides, at 8 or 16 bits. See mask_rule() for the values that mark a defect, and for when Mask::soft is set. Error:
/// as read_image; bad_data if it is unclear what the mask marks (see mask_rule()), or if its colours are constant while
/// its alpha channel is not.
[[nodiscard]] inline Mask read_mask(const std::filesystem::path& path) {
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

/// Writes an RGB PNG atomically: after a failure, `path` holds what it held before. If `software` is not empty, the
/// file names it as the program that wrote it. Error: file_unwritable, shape (an image whose size and pixels disagree).
inline void write_png(const std::filesystem::path& path, const ImageView& view, std::string_view software = {}) {
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
inline void write_png(const std::filesystem::path& path, const Image& image, std::string_view software = {}) {
  write_png(path, ImageView(image), software);
}
inline void write_png(const std::filesystem::path& path, const Mask& mask) { write_png(path, ImageView(mask)); }

}  // namespace ADTR_ABI
}  // namespace adtr

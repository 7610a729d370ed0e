/// Decodes image files with stb: PNG, JPEG and BMP, at 8 or 16 bits. Users call the functions of image_file.hpp, which
/// does not include stb in programs that link adtr::kernels.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adtr/core/error.hpp"
#include "adtr/core/extents.hpp"
#include "adtr/data/file_bytes.hpp"
#include "adtr/data/foreign_file.hpp"
#include "adtr/data/image_format.hpp"
#include "adtr/data/jpeg_scans.hpp"
#include "adtr/data/stb.hpp"

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
}  // namespace ADTR_ABI
}  // namespace adtr

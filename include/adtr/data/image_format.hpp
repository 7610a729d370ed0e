/// Reads what a PNG, JPEG or BMP file says about itself without decoding it: format, size, orientation, and whether it
/// is complete and undamaged.
///
/// stb silently decodes some truncated files (the missing part of a JPEG comes out grey, that of a BMP black) and
/// ignores checksums. A camera that lost power must not teach a model that grey is normal, so the structure is walked
/// to its end before decoding. In the middle of a file, a PNG's checksums show all damage; a BMP has no checksum; for
/// JPEG see jpeg_scans.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "adtr/core/checksum.hpp"
#include "adtr/core/error.hpp"
#include "adtr/data/orientation.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// What is known of an image file before it is decoded.
struct ImageFormat {
  std::string_view name;    ///< "PNG", "JPEG" or "BMP"
  std::int64_t height = 0;  ///< in pixels; 0 if the file does not say
  std::int64_t width = 0;
  int orientation = 1;    ///< from Exif, 1 to 8; height and width are stored ones, before it is applied
  bool whole = false;     ///< the file reaches its format's end
  std::string flaw{};     ///< damage, or content that would crash stb; empty if none was found
  std::string unread{};   ///< why adtr does not read a possibly valid file; empty if it does
  int components = 0;     ///< JPEG only: 1 grey, 3 colour, 4 CMYK
  std::size_t adobe = 0;  ///< JPEG only: offset of the byte that says how CMYK is stored; 0 if absent
};

namespace detail {

using Bytes = std::span<const std::uint8_t>;

inline std::uint32_t big_endian(Bytes bytes, std::size_t at, std::size_t n) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < n; ++i) value = value << 8 | bytes[at + i];
  return value;
}

inline std::uint32_t little_endian(Bytes bytes, std::size_t at, std::size_t n) {
  std::uint32_t value = 0;
  for (std::size_t i = n; i-- > 0;) value = value << 8 | bytes[at + i];
  return value;
}

/// A chunk's type as text; four letters in a valid file.
inline std::string chunk_name(Bytes bytes, std::size_t at) {
  std::string name;
  for (std::size_t i = at; i < at + 4; ++i)
    name += bytes[i] > ' ' && bytes[i] < 127 ? static_cast<char>(bytes[i]) : '?';
  return name;
}

/// A PNG consists of chunks: length, type, data, checksum (of type and data). The first has the type IHDR, the last
/// IEND. After a damaged length the checksum does not match, so every flipped bit from the signature to the end is
/// detected.
inline ImageFormat png_format(Bytes bytes) {
  ImageFormat format{"PNG"};
  if (bytes.size() >= 24) {
    format.width = big_endian(bytes, 16, 4);
    format.height = big_endian(bytes, 20, 4);
  }
  bool oriented = false;
  for (std::size_t at = 8; bytes.size() - at >= 12;) {
    const std::size_t length = big_endian(bytes, at, 4);
    if (length > bytes.size() - at - 12) break;
    const std::string name = chunk_name(bytes, at + 4);
    if (crc32(bytes.subspan(at + 4, length + 4)) != big_endian(bytes, at + 8 + length, 4)) {
      format.flaw = "the checksum of its chunk " + name + " is wrong";
      break;
    }
    if (name == "CgBI") {
      format.unread =
          "is an iPhone PNG (chunk CgBI), which stores its colours in a non-standard way; adtr reads "
          "standard PNG";
      break;
    }
    if (at == 8 && name != "IHDR") {
      format.flaw = "its first chunk is " + name + ", expected IHDR";
      break;
    }
    if (name == "eXIf" && !oriented) {
      format.orientation = exif_orientation(bytes.subspan(at + 8, length));
      oriented = true;
    }
    if (name == "IEND") {
      format.whole = true;
      break;
    }
    at += 12 + length;
  }
  return format;
}

/// Whether every Huffman table of the segment at `at` has at most the 256 codes that stb has room for (stb checks this
/// only since version 2.29). A table is its class, 16 counts of codes, and the codes. Like stb, this reads beyond the
/// end of the segment.
inline bool huffman_tables_fit(Bytes bytes, std::size_t at) {
  std::size_t left = big_endian(bytes, at, 2);
  for (at += 2, left -= std::min<std::size_t>(left, 2); left > 0;) {
    std::size_t codes = 0;
    for (std::size_t i = at + 1; i < at + 17 && i < bytes.size(); ++i) codes += bytes[i];
    if (codes > 256) return false;
    at += 17 + codes;
    left -= (std::min)(left, 17 + codes);
  }
  return true;
}

/// Walks the markers FF xx up to FFD9. Segments are skipped by their length, because a thumbnail inside one has its own
/// end marker; in coded data FF is followed by 00 or by a restart marker. Bytes after the end marker are ignored. The
/// first Exif APP1 holds the orientation, Adobe's APP14 says how CMYK is stored.
inline ImageFormat jpeg_format(Bytes bytes) {
  ImageFormat format{"JPEG"};
  const auto begins = [&](std::size_t place, std::string_view text) {
    return bytes.size() >= place + text.size() &&
           std::equal(text.begin(), text.end(), bytes.begin() + static_cast<std::ptrdiff_t>(place),
                      [](char c, std::uint8_t byte) { return static_cast<std::uint8_t>(c) == byte; });
  };
  bool oriented = false;
  std::size_t at = 2;
  while (at + 1 < bytes.size()) {
    const std::uint8_t marker = bytes[at + 1];
    if (bytes[at] != 0xFF) {
      at = static_cast<std::size_t>(std::find(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(), 0xFF) -
                                    bytes.begin());
    } else if (marker == 0xFF) {  // padding
      ++at;
    } else if (marker == 0xD9) {
      format.whole = true;
      break;
    } else if (marker <= 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {  // these have no segment
      at += 2;
    } else if (at + 4 <= bytes.size()) {
      const bool frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
      if (frame && at + 9 <= bytes.size()) {
        format.height = big_endian(bytes, at + 5, 2);
        format.width = big_endian(bytes, at + 7, 2);
        if (bytes.size() > at + 9) format.components = bytes[at + 9];
        if (marker > 0xC2) {
          format.unread =
              "is a JPEG of a rare kind (lossless, hierarchical or arithmetic coding); adtr reads baseline "
              "and progressive JPEG";
        } else if (bytes[at + 4] != 8) {
          format.unread = "is a JPEG with " + std::to_string(bytes[at + 4]) +
                          " bits per value; adtr reads JPEG with 8 bits per value";
        }
      }
      const std::size_t length = big_endian(bytes, at + 2, 2);
      if (marker == 0xE1 && !oriented && begins(at + 4, {"Exif\0\0", 6}) && length >= 8) {
        format.orientation =
            exif_orientation(bytes.subspan(at + 4).first((std::min)(length - 2, bytes.size() - at - 4)));
        oriented = true;
      }
      if (marker == 0xEE && begins(at + 4, "Adobe") && length >= 14 && bytes.size() > at + 15) format.adobe = at + 15;
      if (marker == 0xC4 && !huffman_tables_fit(bytes, at + 2)) format.flaw = "a Huffman table of more than 256 codes";
      at += 2 + length;
    } else {
      break;
    }
  }
  return format;
}

/// A BMP is a header with the offset of the rows, then the rows, each padded to 4 bytes (the last row's padding is
/// often missing).
inline ImageFormat bmp_format(Bytes bytes) {
  ImageFormat format{"BMP"};
  if (bytes.size() < 30) return format;
  const std::uint32_t offset = little_endian(bytes, 10, 4);
  const bool old = little_endian(bytes, 14, 4) == 12;  // BITMAPCOREHEADER: 16-bit sizes
  std::int64_t bits = 0;
  if (old) {
    format.width = little_endian(bytes, 18, 2);
    format.height = little_endian(bytes, 20, 2);
    bits = little_endian(bytes, 24, 2);
  } else {
    format.width = static_cast<std::int32_t>(little_endian(bytes, 18, 4));
    format.height = static_cast<std::int32_t>(little_endian(bytes, 22, 4));
    bits = little_endian(bytes, 28, 2);
  }
  if (format.height < 0) format.height = -format.height;  // negative: rows are stored top to bottom
  // The decoder rejects sizes outside these limits; within them the arithmetic below cannot overflow.
  constexpr std::int64_t most = 1 << 24;
  if (format.width < 1 || format.width > most || format.height < 1 || format.height > most || bits > 32) {
    format.whole = true;
  } else {
    const std::int64_t row = format.width * bits;
    const std::int64_t end = offset + (format.height - 1) * ((row + 31) / 32 * 4) + (row + 7) / 8;
    format.whole = static_cast<std::int64_t>(bytes.size()) >= end;
  }
  return format;
}

}  // namespace detail

/// Returns nothing if the first bytes match none of the formats that adtr reads.
[[nodiscard]] inline std::optional<ImageFormat> image_format(std::span<const std::uint8_t> bytes) {
  static constexpr std::array<std::uint8_t, 8> png{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  static constexpr std::array<std::uint8_t, 3> jpeg{0xFF, 0xD8, 0xFF};
  static constexpr std::array<std::uint8_t, 2> bmp{'B', 'M'};
  const auto begins = [&](const auto& magic) {
    return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
  };
  if (begins(png)) return detail::png_format(bytes);
  if (begins(jpeg)) return detail::jpeg_format(bytes);
  if (begins(bmp)) return detail::bmp_format(bytes);
  return std::nullopt;
}

}  // namespace ADTR_ABI
}  // namespace adtr

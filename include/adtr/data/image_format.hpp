/// What a PNG, JPEG or BMP file says about itself, read without decoding: format, size, and whether its end is there.
///
/// stb decodes some truncated files without a word (a JPEG's missing part comes out grey, a BMP's black). A camera that
/// lost power must not teach a model that grey is normal, so the structure is walked to its end first.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "adtr/core/error.hpp"

namespace adtr::inline ADTR_ABI {

/// The first facts of an image file.
struct ImageFormat {
  std::string_view name;    ///< "PNG", "JPEG" or "BMP"
  std::int64_t height = 0;  ///< pixels; 0 where the file does not say
  std::int64_t width = 0;
  bool whole = false;          ///< the file reaches its format's end
  const char* flaw = nullptr;  ///< what stb would not survive
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

/// Chunks of length, type, data, checksum, the last of type IEND.
inline ImageFormat png_format(Bytes bytes) {
  ImageFormat format{"PNG"};
  if (bytes.size() >= 24) {
    format.width = big_endian(bytes, 16, 4);
    format.height = big_endian(bytes, 20, 4);
  }
  for (std::size_t at = 8; bytes.size() - at >= 12;) {
    const std::size_t length = big_endian(bytes, at, 4);
    if (length > bytes.size() - at - 12) break;
    if (big_endian(bytes, at + 4, 4) == 0x49454E44) {  // "IEND"
      format.whole = true;
      break;
    }
    at += 12 + length;
  }
  return format;
}

/// Whether every Huffman table of the segment at `at` has the 256 codes at most that stb has room for: it checks only
/// since version 2.29. A table is a class, 16 counts of codes, the codes; like stb, reads on past the segment's end.
inline bool huffman_tables_fit(Bytes bytes, std::size_t at) {
  std::size_t left = big_endian(bytes, at, 2);
  for (at += 2, left -= std::min<std::size_t>(left, 2); left > 0;) {
    std::size_t codes = 0;
    for (std::size_t i = at + 1; i < at + 17 && i < bytes.size(); ++i) codes += bytes[i];
    if (codes > 256) return false;
    at += 17 + codes;
    left -= std::min(left, 17 + codes);
  }
  return true;
}

/// Markers FF xx up to FFD9. Segments are stepped over by their length (a thumbnail inside one has an end of its own);
/// in coded data FF is followed by 00 or a restart marker. What follows the end belongs to somebody else.
inline ImageFormat jpeg_format(Bytes bytes) {
  ImageFormat format{"JPEG"};
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
      }
      if (marker == 0xC4 && !huffman_tables_fit(bytes, at + 2)) format.flaw = "a Huffman table of more than 256 codes";
      at += 2 + big_endian(bytes, at + 2, 2);
    } else {
      break;
    }
  }
  return format;
}

/// A header with the offset of the rows, each padded to 4 bytes (the last row's padding is often left out).
inline ImageFormat bmp_format(Bytes bytes) {
  ImageFormat format{"BMP"};
  if (bytes.size() < 30) return format;
  const std::uint32_t offset = little_endian(bytes, 10, 4);
  const bool old = little_endian(bytes, 14, 4) == 12;  // BITMAPCOREHEADER: sizes of 16 bits
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
  if (format.height < 0) format.height = -format.height;  // rows top to bottom
  // Sizes that no decoder takes are left to the decoder, and cannot overflow here.
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

/// Nothing where the bytes begin like none of the formats that adtr reads.
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

}  // namespace adtr::inline ADTR_ABI

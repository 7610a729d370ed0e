/// Image files that are made byte by byte, so that a test can choose their content: PNG chunks, JPEG segments, Exif.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support.hpp"

namespace test_data {

/// `value` in n bytes, big-endian, or little-endian if `little`.
inline std::string number(std::uint32_t value, int n, bool little = false) {
  std::string bytes;
  for (int i = 0; i < n; ++i) bytes += static_cast<char>(value >> 8 * (little ? i : n - 1 - i));
  return bytes;
}

/// CRC-32 by its definition, bit by bit.
inline std::uint32_t crc_by_bits(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes) {
    crc ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
  }
  return ~crc;
}

/// Adler-32 by its definition, byte by byte.
inline std::uint32_t adler_by_bytes(std::string_view bytes) {
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  for (const char byte : bytes) {
    a = (a + static_cast<std::uint8_t>(byte)) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

inline std::string chunk(const std::string& type, const std::string& data) {
  return number(static_cast<std::uint32_t>(data.size()), 4) + type + data + number(crc_by_bits(type + data), 4);
}

/// A zlib stream of uncompressed blocks.
inline std::string zlib(std::string_view bytes) {
  std::string stream = "\x78\x01";
  for (std::size_t at = 0; at < bytes.size() || at == 0;) {
    const std::size_t n = std::min<std::size_t>(bytes.size() - at, 65535);
    const auto size = static_cast<std::uint32_t>(n);
    stream += at + n == bytes.size() ? '\1' : '\0';
    stream += number(size, 2, true) + number(~size & 0xFFFF, 2, true);
    stream += bytes.substr(at, n);
    at += std::max<std::size_t>(n, 1);
  }
  return stream + number(adler_by_bytes(bytes), 4);
}

/// The parts of a PNG: its size, IHDR's bytes, the chunks before IDAT, the rows with their filter bytes.
struct PngParts {
  std::uint32_t height = 1;
  std::uint32_t width = 1;
  int depth = 8;
  int colour = 0;
  bool interlaced = false;
  std::string before{};  ///< chunks between IHDR and IDAT
  std::string rows{};
  std::string after{};  ///< chunks between IDAT and IEND
};

inline const std::string png_signature = "\x89PNG\r\n\x1A\n";

inline std::string png_file(const PngParts& p) {
  const std::string header = number(p.width, 4) + number(p.height, 4) + static_cast<char>(p.depth) +
                             static_cast<char>(p.colour) + std::string(2, '\0') + static_cast<char>(p.interlaced);
  return png_signature + chunk("IHDR", header) + p.before + chunk("IDAT", zlib(p.rows)) + p.after + chunk("IEND", "");
}

/// The rows of an image (height, width) of `bytes` bytes per pixel, unfiltered, or of the seven passes if it is
/// interlaced.
inline std::string png_rows(const std::vector<std::uint8_t>& pixels, std::size_t height, std::size_t width,
                            std::size_t bytes, bool interlaced = false) {
  static constexpr std::array<std::array<std::size_t, 4>, 7> passes{
      {{0, 0, 8, 8}, {0, 4, 8, 8}, {4, 0, 8, 4}, {0, 2, 4, 4}, {2, 0, 4, 2}, {0, 1, 2, 2}, {1, 0, 2, 1}}};
  std::string rows;
  for (std::size_t pass = 0; pass < (interlaced ? 7 : 1); ++pass) {
    const auto [y0, x0, dy, dx] = interlaced ? passes[pass] : std::array<std::size_t, 4>{0, 0, 1, 1};
    for (std::size_t y = y0; y < height && x0 < width; y += dy) {
      rows += '\0';
      for (std::size_t x = x0; x < width; x += dx)
        for (std::size_t b = 0; b < bytes; ++b) rows += static_cast<char>(pixels[(y * width + x) * bytes + b]);
    }
  }
  return rows;
}

/// A PNG of 8-bit grey with these pixels.
inline std::string grey_png(std::size_t height, std::size_t width, const std::vector<std::uint8_t>& pixels) {
  return png_file({.height = static_cast<std::uint32_t>(height),
                   .width = static_cast<std::uint32_t>(width),
                   .rows = png_rows(pixels, height, width, 1)});
}

/// Exif in TIFF's format: a directory with one tag before and one after the orientation.
inline std::string exif_block(std::uint32_t orientation, bool little, std::uint32_t type = 3) {
  const auto entry = [&](std::uint32_t tag, std::uint32_t kind, const std::string& value) {
    return number(tag, 2, little) + number(kind, 2, little) + number(1, 4, little) + value +
           std::string(4 - value.size(), '\0');
  };
  const int bytes = type == 3 ? 2 : type == 4 ? 4 : 1;
  return (little ? "II" : "MM") + number(42, 2, little) + number(8, 4, little) + number(3, 2, little) +
         entry(0x0100, 4, number(7, 4, little)) + entry(0x0112, type, number(orientation, bytes, little)) +
         entry(0x0131, 2, "adtr") + number(0, 4, little);
}

inline std::string segment(int marker, const std::string& data) {
  return std::string{'\xFF', static_cast<char>(marker)} + number(static_cast<std::uint32_t>(data.size() + 2), 2) + data;
}

/// A PNG with a chunk after IHDR.
inline std::string with_chunk(const std::string& png, const std::string& added) {
  return png.substr(0, 33) + added + png.substr(33);
}

/// A JPEG with segments after its APP0, or directly after its beginning.
inline std::string with_segments(const std::string& jpeg, const std::string& added, bool behind_app0 = true) {
  const std::size_t at = behind_app0 && jpeg[3] == '\xE0' ? 20 : 2;
  return jpeg.substr(0, at) + added + jpeg.substr(at);
}

inline std::string jpeg_exif(const std::string& block) { return segment(0xE1, std::string("Exif\0\0", 6) + block); }

}  // namespace test_data

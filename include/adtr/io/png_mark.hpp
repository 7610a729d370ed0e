/// Names the writer of a PNG file in the text chunk "Software" of the PNG specification.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "adtr/core/abi.hpp"
#include "adtr/core/checksum.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The "Software" text in heat maps of adtr.
inline constexpr std::string_view heat_map_software = "adtr heat map";

namespace detail {

inline constexpr std::string_view png_signature = "\x89PNG\r\n\x1a\n";
inline constexpr std::string_view png_software_key{"Software\0", 9};
/// Signature, then the header chunk: length, type, 13 bytes, checksum.
inline constexpr std::size_t png_header_end = 8 + 4 + 4 + 13 + 4;

[[nodiscard]] inline std::uint32_t big_endian_at(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint32_t>(bytes[at + i]);
  return value;
}

inline void append_big_endian(std::vector<std::byte>& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(value >> shift));
}

[[nodiscard]] inline std::string_view text_at(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes.data()) + at, size};
}

}  // namespace detail

/// The bytes of a PNG file with a text chunk "Software" after the header. Returns other bytes unchanged.
[[nodiscard]] inline std::vector<std::byte> png_with_software(std::span<const std::byte> png,
                                                              std::string_view software = heat_map_software) {
  using namespace detail;
  std::vector<std::byte> out(png.begin(), png.end());
  if (png.size() < png_header_end || text_at(png, 0, 8) != png_signature || text_at(png, 12, 4) != "IHDR") return out;
  std::vector<std::byte> chunk;
  append_big_endian(chunk, static_cast<std::uint32_t>(png_software_key.size() + software.size()));
  for (const std::string_view text : {std::string_view("tEXt"), png_software_key, software})
    for (const char c : text) chunk.push_back(static_cast<std::byte>(c));
  const auto* const typed = reinterpret_cast<const std::uint8_t*>(chunk.data()) + 4;  // chunk type and data
  append_big_endian(chunk, crc32({typed, chunk.size() - 4}));
  out.insert(out.begin() + png_header_end, chunk.begin(), chunk.end());
  return out;
}

/// The "Software" text that precedes the pixels of a PNG file, or nothing. The result points into `png`.
[[nodiscard]] inline std::optional<std::string_view> png_software(std::span<const std::byte> png) {
  using namespace detail;
  if (png.size() < png_header_end || text_at(png, 0, 8) != png_signature) return std::nullopt;
  std::size_t at = 8;
  while (png.size() - at >= 12) {
    const std::size_t length = big_endian_at(png, at);
    const std::string_view type = text_at(png, at + 4, 4);
    if (type == "IDAT" || length > png.size() - at - 12) return std::nullopt;
    const std::string_view text = text_at(png, at + 8, length);
    if (type == "tEXt" && text.starts_with(png_software_key)) return text.substr(png_software_key.size());
    at += length + 12;
  }
  return std::nullopt;
}

}  // namespace ADTR_ABI
}  // namespace adtr

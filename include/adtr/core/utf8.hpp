/// Reads, checks and writes UTF-8 characters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// One UTF-8 character: its length in bytes and its code point. The length is 0 if the bytes are not UTF-8, which
/// includes surrogates, overlong forms and code points above U+10FFFF.
struct Utf8Character {
  std::size_t bytes;
  std::uint32_t code;
};

inline Utf8Character utf8_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {1, first};
  const std::size_t bytes = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  if (bytes == 0 || bytes > text.size()) return {0, 0};
  std::uint32_t code = first & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {0, 0};
    code = code << 6U | (byte(i) & 0x3FU);
  }
  const bool longer = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return longer || surrogate || code > 0x10FFFF ? Utf8Character{0, 0} : Utf8Character{bytes, code};
}

}  // namespace detail

/// The position of the first byte that is not UTF-8 (overlong forms and surrogates are not), or npos if all bytes are.
[[nodiscard]] inline std::size_t find_invalid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t bytes = detail::utf8_character(text.substr(i)).bytes;
    if (bytes == 0) return i;
    i += bytes;
  }
  return std::string_view::npos;
}

/// Appends a Unicode code point as UTF-8. It must be below U+110000 and not a surrogate.
inline void append_utf8(std::string& out, unsigned code) {
  const auto put = [&](unsigned bits) { out.push_back(static_cast<char>(static_cast<unsigned char>(bits))); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

}  // namespace ADTR_ABI
}  // namespace adtr

/// Text as JSON strings hold it: UTF-8 checked, and quoted for files and for messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "adtr/core/abi.hpp"

namespace adtr::inline ADTR_ABI {

/// The place of the first byte that is not UTF-8 (overlong forms and surrogates are not), or npos where all is well.
[[nodiscard]] inline std::size_t find_invalid_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t i = 0;
  while (i < text.size()) {
    const unsigned lead = byte(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    std::size_t following = 0;
    // What the second byte may be depends on the first: this is where overlong forms, surrogates and codes beyond
    // U+10FFFF are kept out (Unicode standard, table 3-7).
    unsigned low = 0x80;
    unsigned high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) {
      following = 1;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
      following = 2;
      if (lead == 0xE0) low = 0xA0;
      if (lead == 0xED) high = 0x9F;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
      following = 3;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;
    } else {
      return i;
    }
    if (text.size() - i <= following) return i;
    for (std::size_t k = 1; k <= following; ++k) {
      if (byte(i + k) < low || byte(i + k) > high) return i;
      low = 0x80;
      high = 0xBF;
    }
    i += following + 1;
  }
  return std::string_view::npos;
}

/// Appends a Unicode code point, below U+110000 and no surrogate, as UTF-8.
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

/// A JSON string literal, quotes included: control characters, quotes and backslashes escaped, the rest as it is.
[[nodiscard]] inline std::string json_quoted(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (u < 0x20) {
          out += "\\u00";
          out += hex[u >> 4];
          out += hex[u & 15];
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

/// A name out of a file for use in a message: quoted, one line, and of bounded length whatever the file holds.
[[nodiscard]] inline std::string quoted_for_message(std::string_view name) {
  constexpr std::size_t limit = 120;
  if (name.size() <= limit) return json_quoted(name);
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return json_quoted(name.substr(0, end)) + "...";
}

}  // namespace adtr::inline ADTR_ABI

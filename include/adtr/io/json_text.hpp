/// Quotes text as JSON strings, for files and for messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "adtr/core/abi.hpp"
#include "adtr/core/utf8.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// A JSON string literal with its quotes. Control characters, quotes and backslashes are escaped.
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

/// Quotes a name from a file for a message: on one line and of bounded length, whatever the file contains.
[[nodiscard]] inline std::string quoted_for_message(std::string_view name) {
  constexpr std::size_t limit = 120;
  if (name.size() <= limit) return json_quoted(name);
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return json_quoted(name.substr(0, end)) + "...";
}

}  // namespace ADTR_ABI
}  // namespace adtr

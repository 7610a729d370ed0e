/// File names as text: a name may hold any bytes, but JSON, HTML and a line of a list may not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "adtr/core/abi.hpp"
#include "adtr/core/utf8.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// Whether a character would break a line, be invisible, or change the direction of the text around it.
constexpr bool unseen(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x200B || code == 0x200E || code == 0x200F ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

}  // namespace detail

/// Returns `name` as valid UTF-8 on one line. Bytes that are not UTF-8, control characters, line breaks, invisible
/// characters and characters that change the writing direction become `\xNN`, byte by byte. A backslash is doubled, so
/// that distinct names stay distinct. All other names are unchanged.
[[nodiscard]] inline std::string printable(std::string_view name) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  text.reserve(name.size());
  while (!name.empty()) {
    const detail::Utf8Character character = detail::utf8_character(name);
    const std::size_t bytes = character.bytes == 0 ? 1 : character.bytes;
    if (character.bytes == 0 || detail::unseen(character.code)) {
      for (std::size_t i = 0; i < bytes; ++i) {
        const auto byte = static_cast<unsigned char>(name[i]);
        text.append("\\x").append(1, digits[byte >> 4U]).append(1, digits[byte & 15U]);
      }
    } else if (character.code == '\\') {
      text += "\\\\";
    } else {
      text.append(name.substr(0, bytes));
    }
    name.remove_prefix(bytes);
  }
  return text;
}

}  // namespace ADTR_ABI
}  // namespace adtr

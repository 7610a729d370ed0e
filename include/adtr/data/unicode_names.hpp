/// File names that are stored differently but read the same: é as one character, or as e and an accent.
///
/// macOS decomposes names (NFD) and other systems compose them (NFC), so the mask of `é.png` may arrive as `é_mask.png`
/// with other bytes. Names are decomposed before they are compared, which serves both forms. This covers every script
/// of the Basic Multilingual Plane (Latin, Greek, Cyrillic, kana, Hangul, …) except the CJK compatibility ideographs.
/// Outside it, and if a name is not UTF-8, names must agree byte for byte.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "adtr/core/abi.hpp"
#include "adtr/core/utf8.hpp"
#include "adtr/data/unicode_table.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// Returns the character at `at` and moves `at` behind it. A result of 0x110000 or above is a byte that is not UTF-8.
inline std::uint32_t next_character(std::string_view text, std::size_t& at) {
  const Utf8Character character = utf8_character(text.substr(at));
  if (character.bytes == 0) return 0x110000 + static_cast<std::uint32_t>(static_cast<unsigned char>(text[at++]));
  at += character.bytes;
  return character.code;
}

/// Appends a result of next_character().
inline void append_character(std::string& text, std::uint32_t c) {
  if (c >= 0x110000)
    text += static_cast<char>(static_cast<unsigned char>(c - 0x110000));
  else
    append_utf8(text, c);
}

/// Appends the full decomposition of a character.
inline void take_apart(std::uint32_t c, std::vector<std::uint32_t>& parts) {
  constexpr std::uint32_t hangul = 0xAC00, leads = 19, vowels = 21, tails = 28;
  if (c >= hangul && c < hangul + leads * vowels * tails) {
    const std::uint32_t syllable = c - hangul;
    parts.push_back(0x1100 + syllable / (vowels * tails));
    parts.push_back(0x1161 + syllable % (vowels * tails) / tails);
    if (syllable % tails != 0) parts.push_back(0x11A7 + syllable % tails);
    return;
  }
  const auto* row = std::lower_bound(std::begin(unicode_parts), std::end(unicode_parts), c,
                                     [](const auto& entry, std::uint32_t value) { return entry[0] < value; });
  if (row == std::end(unicode_parts) || (*row)[0] != c) {
    parts.push_back(c);
    return;
  }
  take_apart((*row)[1], parts);
  if ((*row)[2] != 0) take_apart((*row)[2], parts);
}

/// Combining class, by which the combining marks of a letter are sorted; 0 is a letter.
inline int combining_class(std::uint32_t c) {
  const auto* row = std::lower_bound(std::begin(unicode_classes), std::end(unicode_classes), c,
                                     [](const auto& run, std::uint32_t value) { return run[1] < value; });
  return row != std::end(unicode_classes) && (*row)[0] <= c ? static_cast<int>((*row)[2]) : 0;
}

}  // namespace detail

/// Decomposes a UTF-8 name (NFD): the result is equal for two names that read the same. Bytes that are not UTF-8 stay.
[[nodiscard]] inline std::string canonical_name(std::string_view name) {
  if (std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }))
    return std::string(name);
  std::vector<std::uint32_t> parts;
  for (std::size_t at = 0; at < name.size();) detail::take_apart(detail::next_character(name, at), parts);
  const auto mark = [](std::uint32_t c) { return detail::combining_class(c) != 0; };
  for (auto run = parts.begin(); run != parts.end();) {
    run = std::find_if(run, parts.end(), mark);
    const auto end = std::find_if_not(run, parts.end(), mark);
    // Marks of one class keep their order. A name is short, so an insertion sort does.
    for (auto next = run; next != end; ++next)
      std::rotate(std::upper_bound(run, next, *next,
                                   [](std::uint32_t a, std::uint32_t b) {
                                     return detail::combining_class(a) < detail::combining_class(b);
                                   }),
                  next, next + 1);
    run = end;
  }
  std::string result;
  for (const std::uint32_t c : parts) detail::append_character(result, c);
  return result;
}

}  // namespace ADTR_ABI
}  // namespace adtr

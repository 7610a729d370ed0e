/// Writes text, numbers and pictures for an HTML page.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adtr/core/abi.hpp"
#include "adtr/core/error.hpp"
#include "adtr/core/printable.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Returns text that is safe between tags and in quoted attributes, and valid UTF-8 on one line for any input: see
/// printable(). Distinct texts stay distinct.
[[nodiscard]] inline std::string html_escape(std::string_view name) {
  const std::string text = printable(name);
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

/// Four significant digits, with a decimal point in every locale, for figures and positions. Use number_text() for
/// numbers that decide, and for numbers that readers compare with them.
[[nodiscard]] inline std::string short_number(double value) {
  std::array<char, 32> text{};
  value += 0.0;  // -0 is 0
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 4);
  return {text.data(), end.ptr};
}

/// Base64 of RFC 4648, with padding.
[[nodiscard]] inline std::string base64(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = bytes.size() - i < 3 ? bytes.size() - i : 3;
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) group = group << 8U | (j < count ? bytes[i + j] : 0U);
    for (std::size_t j = 0; j < 4; ++j) text += j <= count ? digits[group >> (18 - 6 * j) & 63U] : '=';
  }
  return text;
}

/// An RGB picture in memory, (H, W, 3).
struct Picture {
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<std::uint8_t> rgb;
};

/// Returns the picture as a PNG file. Throws Error if it is empty or `rgb` does not have height · width · 3 values.
[[nodiscard]] std::vector<std::uint8_t> encode_png(const Picture& picture);

/// Returns an `<img>` that embeds its picture.
[[nodiscard]] inline std::string html_image(const Picture& picture, std::string_view description) {
  return "<img width=\"" + std::to_string(picture.width) + "\" height=\"" + std::to_string(picture.height) +
         "\" alt=\"" + html_escape(description) + "\" src=\"data:image/png;base64," + base64(encode_png(picture)) +
         "\">";
}

}  // namespace ADTR_ABI
}  // namespace adtr

#if !defined(ADTR_EXTERN_KERNELS)
#include "adtr/report/markup.inl.hpp"
#endif

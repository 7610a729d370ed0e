/// Numbers as text that reads back to the same number, and text as numbers, the same in every locale.
#pragma once

#include <locale.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#ifdef __APPLE__
#include <xlocale.h>  // strtod_l
#endif

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The shortest text that reads back to the same double, with a decimal point in every locale. Write every number that
/// decides, such as a threshold or a score, with it: `5.18136` for 5.181361198425293 would call a good part anomalous.
[[nodiscard]] inline std::string number_text(double value) {
  std::array<char, 40> digits{};
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
}

namespace detail {

/// What parse_double() returns, computed with the C library, for standard libraries whose std::from_chars reads
/// integers only (libc++ before version 20).
[[nodiscard]] inline std::optional<double> parse_double_with_strtod(std::string_view text) {
  // strtod takes white space, a plus sign and hexadecimal numbers as well, which std::from_chars does not.
  const std::string_view number = text.substr(text.starts_with('-') ? 1 : 0);
  if (number.empty() || std::string_view(".0123456789iInN").find(number[0]) == std::string_view::npos ||
      (number.size() > 1 && number[0] == '0' && (number[1] == 'x' || number[1] == 'X')))
    return std::nullopt;
  static const locale_t with_a_point = ::newlocale(LC_ALL_MASK, "C", nullptr);
  const std::string terminated(text);
  char* end = nullptr;
  errno = 0;
  const double value = ::strtod_l(terminated.c_str(), &end, with_a_point);
  if (end != terminated.c_str() + terminated.size()) return std::nullopt;
  // ERANGE is also reported for a subnormal number, which is in range.
  if (errno == ERANGE && (value == 0.0 || std::isinf(value))) return std::nullopt;
  return value;
}

/// Whether the standard library's std::from_chars reads T. libc++ declares a deleted overload for the types that it
/// does not read.
template <class T>
concept FromCharsReads = requires(const char* text, T& value) {
  std::from_chars(text, text, value);
};

template <class T>
[[nodiscard]] std::optional<T> parse_whole(std::string_view text) {
  if constexpr (FromCharsReads<T>) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
  } else {
    return parse_double_with_strtod(text);
  }
}

}  // namespace detail

/// Reads all of `text` as a number in decimal notation, rounded to the nearest double; infinities and NaN are numbers.
/// Returns nothing if the text is not a number, has anything before or after it, or is too large or too small for a
/// double. The result has the same bits with every standard library and in every locale.
[[nodiscard]] inline std::optional<double> parse_double(std::string_view text) {
  return detail::parse_whole<double>(text);
}

}  // namespace ADTR_ABI
}  // namespace adtr

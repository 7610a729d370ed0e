/// Numbers as text that reads back, and file names as printable text.
#include <bit>
#include <clocale>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "adtr/core/number_text.hpp"
#include "adtr/core/printable.hpp"
#include "adtr/core/random.hpp"
#include "support/catch.hpp"

TEST_CASE("A number's text reads back to the same double") {
  adtr::RandomStream random(5, 1);
  std::vector<double> values{5.181361198425293, 0.1, 1e300, -2.5, 1.0 / 3.0, std::numeric_limits<double>::denorm_min()};
  for (int i = 0; i < 1000; ++i) values.push_back(std::ldexp(random.normal(), static_cast<int>(random.below(80)) - 40));
  for (const double value : values) CHECK(std::strtod(adtr::number_text(value).c_str(), nullptr) == value);
  CHECK(adtr::number_text(5.181361198425293) == "5.181361198425293");
  CHECK(adtr::number_text(12) == "12");
}

namespace {

std::string bits(std::optional<double> value) {
  return value ? std::to_string(std::bit_cast<std::uint64_t>(*value)) : "not a number";
}

/// parse_double() and its form for standard libraries that read no floating-point numbers agree on the bits.
void check_parsed(std::string_view text, std::optional<double> expected) {
  CAPTURE(std::string(text));
  CHECK(bits(adtr::parse_double(text)) == bits(expected));
  CHECK(bits(adtr::detail::parse_double_with_strtod(text)) == bits(expected));
}

}  // namespace

TEST_CASE("Text is read as the nearest double, or refused") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  check_parsed("0.1", 0.1);
  check_parsed("-0", -0.0);
  check_parsed(".5", 0.5);
  check_parsed("5.", 5.0);
  check_parsed("1E+2", 100.0);
  check_parsed("5.1813613981992853", 5.1813613981992853);
  check_parsed("9007199254740993", 9007199254740992.0);  // halfway: to even
  check_parsed("9007199254740993.0000000000000000000000000000000000000000001", 9007199254740994.0);
  check_parsed("2.2250738585072011e-308", 2.2250738585072011e-308);  // subnormal
  check_parsed("4.9406564584124654e-324", std::numeric_limits<double>::denorm_min());
  check_parsed("1.7976931348623157e308", std::numeric_limits<double>::max());
  check_parsed("inf", infinity);
  check_parsed("-Infinity", -infinity);
  CHECK(std::isnan(adtr::parse_double("nan").value()));
  CHECK(std::isnan(adtr::detail::parse_double_with_strtod("nan").value()));
  for (const char* text :
       {"",    "-",    ".",      "-.",  "e5",   "1e", "+1",  "--1", "-+1",      " 1",    "1 ",     "\t1",
        "- 1", "0x10", "-0X1p3", "1,5", "1.5.", "1f", "one", "i",   "infinite", "1e999", "-1e999", "1e-999"})
    check_parsed(text, std::nullopt);
  check_parsed(std::string_view("1\0", 2), std::nullopt);
  check_parsed(std::string_view("123", 2), 12.0);

  adtr::RandomStream random(6, 1);
  for (int i = 0; i < 1000; ++i) {
    const double value = std::ldexp(random.normal(), static_cast<int>(random.below(2000)) - 1040);
    check_parsed(adtr::number_text(value), value);
  }
}

TEST_CASE("Numbers have a point in every locale") {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  for (const char* with_comma : {"de_DE.UTF-8", "fr_FR.UTF-8"}) {  // those that are installed
    if (std::setlocale(LC_ALL, with_comma) != nullptr) break;
  }
  check_parsed("0.5", 0.5);
  check_parsed("0,5", std::nullopt);
  CHECK(adtr::number_text(0.5) == "0.5");
  std::setlocale(LC_ALL, before.c_str());
}

TEST_CASE("Names come out as valid text on one line, as they are where they can") {
  CHECK(adtr::printable("part 1.png") == "part 1.png");
  CHECK(adtr::printable("Schl\xC3\xBCssel \xE6\xBC\xA2 \xF0\x9F\x94\xA9.png") ==
        "Schl\xC3\xBCssel \xE6\xBC\xA2 \xF0\x9F\x94\xA9.png");
  CHECK(adtr::printable("a\nb\tc\x7F") ==
        "a\\x0Ab\\x09"
        "c\\x7F");
  CHECK(adtr::printable(std::string("\0", 1)) == "\\x00");
  CHECK(adtr::printable("\xFF\xC3") == "\\xFF\\xC3");
  CHECK(adtr::printable("\xC3(") == "\\xC3(");
  CHECK(adtr::printable("\xC0\xAF") == "\\xC0\\xAF");           // an overlong form
  CHECK(adtr::printable("\xE0\x80\xAF") == "\\xE0\\x80\\xAF");  // the same
  CHECK(adtr::printable("\xED\xA0\x80") == "\\xED\\xA0\\x80");  // a surrogate
  CHECK(adtr::printable("\xF4\x90\x80\x80") == "\\xF4\\x90\\x80\\x80");
  CHECK(adtr::printable("\xE2\x80\xAE"
                        "gnp") == "\\xE2\\x80\\xAEgnp");        // would be read from right to left
  CHECK(adtr::printable("\xE2\x80\xA8") == "\\xE2\\x80\\xA8");  // a line separator
  CHECK(adtr::printable("a\\xFF") == "a\\\\xFF");
}

TEST_CASE("Distinct names have distinct texts, all of them valid") {
  // All names of up to four of these pieces, which may form one character, several, or an invalid sequence.
  const std::vector<std::string> pieces{"\\", "x", "F", "0A", "\n", "\xFF", "\xC3", "\xBC", "\xE2", "\x80", "\xA8"};
  std::set<std::string> names{""};
  for (int length = 0; length < 4; ++length) {
    const std::set<std::string> shorter = names;
    for (const std::string& name : shorter)
      for (const std::string& piece : pieces) names.insert(name + piece);
  }
  std::set<std::string> texts;
  for (const std::string& name : names) {
    const std::string text = adtr::printable(name);
    texts.insert(text);
    for (std::size_t at = 0; at < text.size();) {
      const auto character = adtr::detail::utf8_character(std::string_view(text).substr(at));
      REQUIRE(character.bytes > 0);
      REQUIRE(character.code >= 0x20);
      at += character.bytes;
    }
  }
  CHECK(names.size() > 10000);
  CHECK(texts.size() == names.size());
}

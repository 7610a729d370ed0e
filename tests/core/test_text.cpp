/// Numbers as text that reads back, and file names as printable text.
#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>
#include <string>
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

TEST_CASE("Names become valid text on one line, and are unchanged if possible") {
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

/// Names that are written differently and read the same.
#include "adtr/data/unicode_names.hpp"
#include "support.hpp"

using namespace test_data;

namespace {

std::string text_of(const std::string& hex) {
  const auto bytes = from_hex(hex);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("composed and decomposed names are equal, as Python's unicodedata takes them apart") {
  int pairs = 0;
  for (auto& line : golden_lines("unicode_names")) {
    std::string composed, decomposed;
    line >> composed >> decomposed;
    INFO(composed << " " << decomposed);
    CHECK(adtr::canonical_name(text_of(composed)) == text_of(decomposed));
    CHECK(adtr::canonical_name(text_of(decomposed)) == text_of(decomposed));
    ++pairs;
  }
  CHECK(pairs > 1000);
}

TEST_CASE("names that read differently stay different, and bytes that are not UTF-8 stay as they are") {
  using adtr::canonical_name;
  CHECK(canonical_name("part_01.A") == "part_01.A");
  CHECK(canonical_name("\xC3\xA9") != canonical_name("\xC3\xA8"));  // é, è
  CHECK(canonical_name("\xEF\xAC\x81") == "\xEF\xAC\x81");          // the ligature fi is not f and i
  CHECK(canonical_name("\xE5\xAD\x97\xF0\x9F\x94\xA9") == "\xE5\xAD\x97\xF0\x9F\x94\xA9");
  // Latin-1, a lone continuation byte, an overlong slash, a surrogate, a character that is cut off, beyond Unicode.
  for (const char* bytes : {"\xE9", "a\x80z", "\xC0\xAF", "\xED\xA0\x80", "\xE3\x81", "\xF4\x90\x80\x80", "\xFF\xFE"})
    CHECK(canonical_name(bytes) == bytes);
}

/// Names that are stored differently but look the same.
#include "adtr/data/unicode_names.hpp"

#include "folder_support.hpp"

using namespace test_data;

namespace {

std::string text_of(const std::string& hex) {
  const auto bytes = from_hex(hex);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("composed and decomposed names are equal, as in Python's unicodedata") {
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

TEST_CASE("names that look different stay different, and bytes that are not UTF-8 are unchanged") {
  using adtr::canonical_name;
  CHECK(canonical_name("part_01.A") == "part_01.A");
  CHECK(canonical_name("\xC3\xA9") != canonical_name("\xC3\xA8"));  // é, è
  CHECK(canonical_name("\xEF\xAC\x81") == "\xEF\xAC\x81");          // the ligature fi is not f and i
  CHECK(canonical_name("\xE5\xAD\x97\xF0\x9F\x94\xA9") == "\xE5\xAD\x97\xF0\x9F\x94\xA9");
  // Latin-1, a lone continuation byte, an overlong slash, a surrogate, a truncated character, a code beyond Unicode.
  for (const char* bytes : {"\xE9", "a\x80z", "\xC0\xAF", "\xED\xA0\x80", "\xE3\x81", "\xF4\x90\x80\x80", "\xFF\xFE"})
    CHECK(canonical_name(bytes) == bytes);
}

TEST_CASE("masks and images are paired, with composed and decomposed names") {
  // é, ế (two accents), が (kana), 각 (Hangul), ё (Cyrillic), composed and decomposed.
  const std::vector<std::pair<std::string, std::string>> stems{{"\xC3\xA9", "e\xCC\x81"},
                                                               {"\xE1\xBA\xBF", "e\xCC\x82\xCC\x81"},
                                                               {"\xE3\x81\x8C", "\xE3\x81\x8B\xE3\x82\x99"},
                                                               {"\xEA\xB0\x81", "\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8"},
                                                               {"\xD1\x91", "\xD0\xB5\xCC\x88"}};
  for (const bool image_composed : {false, true})
    for (const auto& [composed, apart] : stems) {
      const TemporaryFolder folder;
      const auto& root = folder.path();
      const std::string& image = image_composed ? composed : apart;
      const std::string& mask = image_composed ? apart : composed;
      INFO(image);
      const auto first = write_image(root / "test" / ("kind " + image) / (image + ".png"));
      const auto truth = root / "ground_truth" / ("kind " + mask);
      write_mask(truth / (mask + "_mask.png"), true);
      const auto set = adtr::scan_test(root);
      REQUIRE(set.size() == 1);
      CHECK(set[0].mask == truth / (mask + "_mask.png"));
      CHECK(set[0].path == first);
      const auto scan = [&] { static_cast<void>(adtr::scan_test(root)); };

      write_mask(truth / (image + ".png"), true);
      CHECK_THROWS_WITH(scan(), ContainsSubstring("a second mask for the image of"));
      std::filesystem::remove(truth / (image + ".png"));

      const auto second = write_image(root / "test" / ("kind " + image) / (mask + ".png"));
      const auto later = std::max(first.native(), second.native()), earlier = std::min(first.native(), second.native());
      check_stops(scan, ErrorCode::bad_data, later, "its name looks the same as that of " + earlier);
      check_stops([&] { static_cast<void>(adtr::scan_training(first.parent_path())); }, ErrorCode::bad_data, later,
                  "its name looks the same as that of " + earlier);
      CHECK(adtr::list_images_of(first.parent_path()).size() == 2);
      std::filesystem::remove(second);

      write_image(root / "test" / ("kind " + mask) / "0.png");
      CHECK_THROWS_WITH(scan(), ContainsSubstring("its name looks the same as that of"));
    }
}

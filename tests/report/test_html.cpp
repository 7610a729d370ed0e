/// The HTML page: what it says, what it escapes, how it is written.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "adtr/data/stb.hpp"
#include "adtr/report/html.hpp"
#include "support/catch.hpp"

namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

bool contains(const std::string& text, const std::string& part) { return count(text, part) > 0; }

adtr::Picture picture(std::uint8_t grey) { return {2, 3, std::vector<std::uint8_t>(18, grey)}; }

adtr::Report example() {
  adtr::Report report;
  report.title = "screw <M4> & \"nuts\"";
  report.subtitle = "one 'line'";
  report.metrics = {{"image AUROC", 0.98765, ""},
                    {"pixel AUROC", std::nullopt, "no masks in <data>"},
                    {"AUPRO", std::numeric_limits<double>::quiet_NaN(), "no regions"}};
  report.settings = {{"seed", "0"}, {"data", "/parts/<new>"}};
  report.good_scores = {1.0, 2.0, 3.5};
  report.defective_scores = {3.0, 5.0, 6.0, 7.0};
  report.threshold = 3.5;
  report.scale = adtr::HeatScale{1.5F, 4.25F};
  report.highest_good = {{"good/<b>.png", 3.5, false, picture(1), picture(2), std::nullopt}};
  report.lowest_defective = {{"bad/a&b.png", 3.0, true, picture(3), picture(4), picture(5)}};
  report.highest_defective = {{"bad/c.png", 7.0, true, picture(6), picture(7), std::nullopt}};
  return report;
}

/// A folder that is removed with the test.
struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("adtr_report_test_" + std::to_string(::getpid()));
  Folder() { std::filesystem::create_directories(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }
};

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("the page holds every metric, setting and case, and says what is missing") {
  const std::string html = adtr::report_html(example());
  CHECK(contains(html, "image AUROC"));
  CHECK(contains(html, "0.9877"));
  CHECK(contains(html, "not available: no masks in &lt;data&gt;"));
  CHECK(contains(html, "not available: no regions"));
  CHECK(contains(html, "<th scope=\"row\">seed</th><td>0</td>"));
  CHECK(count(html, "<article") == 3);
  CHECK(count(html, "<img ") == 7);
  CHECK(count(html, "src=\"data:image/png;base64,iVBORw0KGgo") == 7);
  CHECK(count(html, "<div class=\"none\">no defect</div>") == 1);
  CHECK(count(html, "<div class=\"none\">no mask</div>") == 1);
}

TEST_CASE("a page of images without masks has no column for them") {
  adtr::Report report = example();
  CHECK(count(adtr::report_html(report), "ground truth") == 3);
  report.lowest_defective[0].ground_truth.reset();
  const std::string html = adtr::report_html(report);
  CHECK(count(html, "<figure><img ") == 6);
  CHECK_FALSE(contains(html, "ground truth"));
  CHECK_FALSE(contains(html, "no mask<"));
  CHECK_FALSE(contains(html, "no defect<"));
}

TEST_CASE("the page says how many parts the threshold judges correctly, and its verdict on each case") {
  const std::string html = adtr::report_html(example());
  CHECK(contains(html, "<b>3 <small>of 4</small></b><span>defects found"));
  CHECK(contains(html, "<b>2 <small>of 3</small></b><span>good parts passed"));  // score ≥ threshold is anomalous
  CHECK(count(html, ">false alarm<") == 1);
  CHECK(count(html, ">defect missed<") == 1);
  CHECK(count(html, ">defect found<") == 1);
  CHECK(contains(html, "1.5<"));
  CHECK(contains(html, "4.25 and above"));
  adtr::Report open = example();
  open.threshold.reset();
  const std::string without = adtr::report_html(open);
  CHECK_FALSE(contains(without, "defects found"));
  CHECK_FALSE(contains(without, "class=\"threshold\""));
  CHECK(contains(without, "<span class=\"chip\">good</span>"));
}

TEST_CASE("names cannot become markup, and nothing is loaded from elsewhere") {
  const std::string html = adtr::report_html(example());
  CHECK(contains(html, "<title>screw &lt;M4&gt; &amp; &quot;nuts&quot;</title>"));
  CHECK(contains(html, "one &#39;line&#39;"));
  CHECK(contains(html, "good/&lt;b&gt;.png"));
  CHECK(contains(html, "bad/a&amp;b.png"));
  CHECK_FALSE(contains(html, "<b>.png"));
  CHECK_FALSE(contains(html, "<new>"));
  CHECK_FALSE(contains(html, "<script"));
  CHECK_FALSE(contains(html, "http"));
  CHECK(contains(html, "charset=\"utf-8\""));
}

TEST_CASE("an empty report is a valid page") {
  const std::string html = adtr::report_html({});
  CHECK(contains(html, "</html>"));
  CHECK_FALSE(contains(html, "<article"));
  CHECK_FALSE(contains(html, "<svg"));
  CHECK_FALSE(contains(html, "<table"));
}

TEST_CASE("the histogram counts every score and shows the threshold") {
  const std::vector<double> good(5, 2.0);
  const std::vector<double> defective{2.0, 10.0, std::numeric_limits<double>::infinity()};
  const std::string html = adtr::histogram_figure(good, defective, 6.0);
  CHECK(count(html, "<rect class=\"good\"") == 1);
  CHECK(count(html, "<rect class=\"defective\"") == 2);
  CHECK(contains(html, "<title>5 of 5 good"));
  CHECK(contains(html, "<line class=\"threshold\" x1=\"50\""));
  CHECK(contains(html, ">4</span>"));
  CHECK(contains(adtr::histogram_figure(good, {}, std::nullopt), "<rect"));  // all scores equal
  CHECK(adtr::histogram_figure({}, {}, std::nullopt).empty());
}

TEST_CASE("ticks are round numbers inside the axis") {
  CHECK(adtr::detail::axis_ticks(-0.3, 0.9).size() == 6);
  for (const auto& [low, high] : {std::pair{0.0, 1.0}, {-3e-7, 4e-7}, {12.2, 12.9}, {0.0, 8e9}}) {
    const std::vector<double> ticks = adtr::detail::axis_ticks(low, high);
    CHECK(ticks.size() >= 3);
    CHECK(ticks.size() <= 11);
    CHECK(ticks.front() >= low);
    CHECK(ticks.back() <= high);
  }
  CHECK(adtr::short_number(adtr::detail::axis_ticks(-0.3, 0.9)[1]) == "0");
}

TEST_CASE("pick_cases picks the hardest and the clearest cases, and none twice") {
  const std::vector<double> scores{5, 1, 9, 3, 8, 2, 7};
  const std::vector<std::uint8_t> labels{0, 0, 1, 1, 0, 1, 1};
  const adtr::PickedCases two = adtr::pick_cases(scores, labels, 2);
  CHECK(two.highest_good == std::vector<std::size_t>{4, 0});
  CHECK(two.lowest_defective == std::vector<std::size_t>{5, 3});
  CHECK(two.highest_defective == std::vector<std::size_t>{2, 6});
  const adtr::PickedCases many = adtr::pick_cases(std::vector<double>{1, 2, 3}, std::vector<std::uint8_t>{1, 1, 1}, 9);
  CHECK(many.highest_good.empty());
  CHECK(many.lowest_defective == std::vector<std::size_t>{0, 1});
  CHECK(many.highest_defective == std::vector<std::size_t>{2});
  CHECK_THROWS_AS(adtr::pick_cases(scores, std::vector<std::uint8_t>{1}, 2), adtr::Error);
}

TEST_CASE("base64 equals the vectors of RFC 4648") {
  const auto encode = [](const std::string& text) {
    return adtr::base64(std::vector<std::uint8_t>(text.begin(), text.end()));
  };
  CHECK(encode("").empty());
  CHECK(encode("f") == "Zg==");
  CHECK(encode("fo") == "Zm8=");
  CHECK(encode("foo") == "Zm9v");
  CHECK(encode("foobar") == "Zm9vYmFy");
  CHECK(adtr::base64(std::vector<std::uint8_t>{255, 254, 253, 252}) == "//79/A==");
}

TEST_CASE("an embedded PNG decodes to the bytes it was made from") {
  adtr::Picture original{5, 7, {}};
  for (std::size_t i = 0; i < 5 * 7 * 3; ++i) original.rgb.push_back(static_cast<std::uint8_t>(i * i % 256));
  const std::vector<std::uint8_t> png = adtr::encode_png(original);
  int width = 0;
  int height = 0;
  int channels = 0;
  std::uint8_t* decoded =
      adtr::stb::stbi_load_from_memory(png.data(), static_cast<int>(png.size()), &width, &height, &channels, 3);
  REQUIRE(decoded != nullptr);
  CHECK(width == 7);
  CHECK(height == 5);
  CHECK(std::equal(original.rgb.begin(), original.rgb.end(), decoded));
  adtr::stb::stbi_image_free(decoded);
  CHECK_THROWS_AS(adtr::encode_png({2, 2, {1, 2, 3}}), adtr::Error);
  CHECK_THROWS_AS(adtr::encode_png({}), adtr::Error);
}

TEST_CASE("numbers are short and the same in every locale") {
  CHECK(adtr::short_number(0.987654) == "0.9877");
  CHECK(adtr::short_number(12) == "12");
  CHECK(adtr::short_number(-0.5) == "-0.5");
}

TEST_CASE("a report is written atomically, and an earlier one survives a failure") {
  const Folder folder;
  const std::string path = folder.path / "report.html";
  adtr::write_report(path, example());
  CHECK(read(path) == adtr::report_html(example()));
  adtr::Report broken = example();
  broken.highest_good[0].input.rgb.pop_back();
  CHECK_THROWS_AS(adtr::write_report(path, broken), adtr::Error);
  CHECK(read(path) == adtr::report_html(example()));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
  const std::string nowhere = folder.path / "none" / "report.html";
  try {
    adtr::write_report(nowhere, example());
    FAIL("expected an Error");
  } catch (const adtr::Error& error) {
    CHECK(contains(error.what(), nowhere));
  }
}

TEST_CASE("The threshold and the scores on the page read back exactly") {
  adtr::Report report = example();
  report.threshold = 5.181361198425293;
  report.highest_good[0].score = 5.1813611984252929;
  report.lowest_defective[0].score = 5.181360198425293;
  const std::string html = adtr::report_html(report);
  CHECK(contains(html, "<span>threshold, exactly 5.181361198425293"));
  CHECK(contains(html, "threshold 5.181361198425293</span>"));  // next to the histogram
  CHECK(contains(html, "score 5.181361198425293<"));
  CHECK(contains(html, "score 5.181360198425293<"));
}

TEST_CASE("The page says how many parts are undecided, and names the files that were not judged") {
  adtr::Report report = example();
  const std::string decided = adtr::report_html(report);
  CHECK_FALSE(contains(decided, "undecided"));
  CHECK_FALSE(contains(decided, "unreadable"));
  CHECK_FALSE(contains(decided, "class=\"remarks\""));
  report.threshold.reset();
  CHECK(
      contains(adtr::report_html(report), "<b>7 <small>of 7</small></b><span>parts undecided: there is no threshold"));
  report = example();
  report.good_scores.push_back(std::numeric_limits<double>::quiet_NaN());
  report.highest_good[0].score = std::numeric_limits<double>::quiet_NaN();
  const std::string open = adtr::report_html(report);
  CHECK(contains(open, "<b>2 <small>of 4</small></b><span>good parts passed"));  // a part with NaN does not pass
  CHECK(contains(open, "<b>1 <small>of 8</small></b><span>parts undecided"));
  CHECK(contains(open, ">undecided</span>"));
  CHECK_FALSE(contains(open, ">good, passed<"));

  report = example();
  report.unreadable = {"bad/<x>.png: truncated PNG", "bad/y.png: no such file"};
  report.remarks = {"3 masks had more than two values & were thresholded"};
  const std::string html = adtr::report_html(report);
  CHECK(contains(html, "<b>2</b><span>files unreadable, not judged"));
  CHECK(contains(html, "<b>unreadable</b> bad/&lt;x&gt;.png: truncated PNG"));
  CHECK(contains(html, "bad/y.png: no such file"));
  CHECK(contains(html, "3 masks had more than two values &amp; were thresholded"));
  CHECK(html.find("class=\"remarks\"") < html.find("<article"));  // near the top
  CHECK(html.find("class=\"remarks\"") < html.find("<svg"));
}

TEST_CASE("Names of any bytes give a valid page on which distinct names differ") {
  adtr::Report report = example();
  report.highest_good[0].name = "good/a\xFF.png";
  report.lowest_defective[0].name = "good/a\xFE.png";
  report.highest_defective[0].name = "good/a\n<b>.png";
  report.title = "p\xC3";
  report.unreadable = {"\xE2\x80: no such file"};
  const std::string html = adtr::report_html(report);
  CHECK(contains(html, "good/a\\xFF.png"));
  CHECK(contains(html, "good/a\\xFE.png"));
  CHECK(contains(html, "good/a\\x0A&lt;b&gt;.png"));
  CHECK(contains(html, "<title>p\\xC3</title>"));
  for (std::size_t at = 0; at < html.size();) {
    const adtr::detail::Utf8Character character = adtr::detail::utf8_character(std::string_view(html).substr(at));
    REQUIRE(character.bytes > 0);
    at += character.bytes;
  }
}

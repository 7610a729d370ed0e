/// Damaged JPEGs are refused if the damage can be detected, and intact files of every kind are read.
#include <random>

#include "adtr/data/decode.hpp"
#include "adtr/data/image_file.hpp"
#include "image_bytes.hpp"

using namespace test_data;

namespace {

constexpr const char* jpegs[] = {"rgb.jpg",  "progressive.jpeg", "grey.jpg", "restart.jpg", "progressive_restart.jpg",
                                 "cmyk.jpg", "square.jpg"};

std::string why_refused(const std::string& file) {
  const std::vector<std::uint8_t> bytes(file.begin(), file.end());
  const char* flaw = adtr::detail::jpeg_scan_flaw(bytes);
  return flaw == nullptr ? "" : flaw;
}

/// Where each scan's coded data begins and ends.
std::vector<std::pair<std::size_t, std::size_t>> scans(const std::string& file) {
  std::vector<std::pair<std::size_t, std::size_t>> found;
  const auto length = [&](std::size_t at) {
    return static_cast<std::size_t>(static_cast<std::uint8_t>(file[at]) << 8 | static_cast<std::uint8_t>(file[at + 1]));
  };
  for (std::size_t at = 2; file[at + 1] != '\xD9';) {
    const bool scan = file[at + 1] == '\xDA';
    at += 2 + length(at + 2);
    if (!scan) continue;
    const std::size_t begin = at;
    while (file[at] != '\xFF' || file[at + 1] == 0 || (static_cast<std::uint8_t>(file[at + 1]) & 0xF8) == 0xD0) ++at;
    found.emplace_back(begin, at);
  }
  return found;
}

}  // namespace

TEST_CASE("a JPEG whose coded data ends early is refused, though its end is there") {
  const TemporaryFolder folder;
  for (const char* name : jpegs) {
    const std::string file = read_file(golden() / "images" / name);
    CHECK(why_refused(file).empty());
    for (const auto& [begin, end] : scans(file)) {
      for (std::size_t at = begin; at < end; ++at) {
        if (file[at - 1] == '\xFF') continue;  // it would form another marker
        INFO(name << ": scan from " << begin << " to " << end << " cut at " << at);
        const auto path = write_file(folder.path() / name, file.substr(0, at) + file.substr(end));
        REQUIRE_THROWS_AS(adtr::read_image(path), adtr::Error);
      }
    }
  }
  const std::string file = read_file(golden() / "images" / "rgb.jpg");
  const auto [begin, end] = scans(file).at(0);
  const auto path = write_file(folder.path() / "cut.jpg", file.substr(0, (begin + end) / 2) + file.substr(end));
  check_error([&] { static_cast<void>(adtr::read_image(path)); }, path,
              "damaged JPEG: its coded data ends before the image does");
  check_error([&] { static_cast<void>(adtr::read_mask(path)); }, path, "damaged JPEG");
}

TEST_CASE("a JPEG whose coded data continues after the image is refused") {
  for (const char* name : jpegs) {
    const std::string file = read_file(golden() / "images" / name);
    for (const auto& [begin, end] : scans(file)) {
      INFO(name << ": scan that ends at " << end);
      CHECK(why_refused(file.substr(0, end) + "\x12\x34" + file.substr(end)) ==
            "its coded data continues after the image");
      // Some cameras append zeros.
      CHECK(why_refused(file.substr(0, end) + std::string(3, '\0') + file.substr(end)).empty());
    }
  }
}

TEST_CASE("missing scans, markers and tables of a JPEG are detected") {
  const std::string progressive = read_file(golden() / "images" / "progressive.jpeg");
  const auto all = scans(progressive);
  REQUIRE(all.size() > 4);
  // The file ends after some of its scans; a decoder would silently return a blurred image.
  for (std::size_t n = 1; n < all.size(); ++n) {
    INFO(n << " scans");
    CHECK(!why_refused(progressive.substr(0, all[n - 1].second) + "\xFF\xD9").empty());
  }
  std::string restarts = read_file(golden() / "images" / "restart.jpg");
  const auto marker = restarts.find("\xFF\xD1");
  REQUIRE(marker != std::string::npos);
  restarts[marker + 1] = '\xD2';
  CHECK(why_refused(restarts) == "a restart marker is missing");

  const std::string rgb = read_file(golden() / "images" / "rgb.jpg");
  std::string steps = rgb;
  steps[rgb.find("\xFF\xDB") + 9] = 0;
  CHECK(why_refused(steps) == "a quantisation step is 0");
  const auto tables = rgb.find("\xFF\xC4");
  std::string codes = rgb;
  codes[tables + 5] = 3;  // three codes of one bit
  CHECK(why_refused(codes) == "its Huffman tables are impossible");
  // One scan of three components made one of luminance only, with its data: the colours have none.
  const std::string grey = read_file(golden() / "images" / "grey.jpg");
  std::string colourless = grey;
  const auto frame = grey.find("\xFF\xC0");
  colourless.replace(frame + 2, 9, number(17, 2) + grey.substr(frame + 4, 5) + '\3' + grey.substr(frame + 10, 1));
  colourless.insert(frame + 13, std::string("\2\x11\0\3\x11\0", 6));
  CHECK(why_refused(colourless) == "one of its channels has no coded data");
}

TEST_CASE("JPEGs of a kind that adtr does not read are named") {
  const TemporaryFolder folder;
  std::string file = read_file(golden() / "images" / "rgb.jpg");
  const auto frame = file.find("\xFF\xC0");
  file[frame + 4] = 12;
  const auto path = write_file(folder.path() / "other.jpg", file);
  check_error([&] { static_cast<void>(adtr::read_image(path)); }, path, "is a JPEG with 12 bits");
  file[frame + 4] = 8;
  file[frame + 1] = '\xC9';
  write_file(path, file);
  check_error([&] { static_cast<void>(adtr::read_image(path)); }, path, "is a JPEG of a rare kind");
}

TEST_CASE("most changed bits in the coded data of a JPEG are detected") {
  // Without checksums no decoder can detect all changes. The test records the detected share, to notice a loss.
  for (const auto& [name, least] : {std::pair{"rgb.jpg", 12}, {"progressive.jpeg", 12}, {"restart.jpg", 12}}) {
    const std::string file = read_file(golden() / "images" / name);
    std::mt19937 random(11);
    int noticed = 0;
    for (int round = 0; round < 1000; ++round) {
      std::string damaged = file;
      const auto all = scans(file);
      const auto& [begin, end] = all[random() % all.size()];
      const std::size_t bit = random() % (8 * (end - begin));
      damaged[begin + bit / 8] = static_cast<char>(damaged[begin + bit / 8] ^ 1 << bit % 8);
      const std::vector<std::uint8_t> bytes(damaged.begin(), damaged.end());
      noticed += adtr::detail::jpeg_scan_flaw(bytes) != nullptr;
    }
    INFO(name << ": " << noticed << " of 1000 noticed");
    CHECK(noticed >= 10 * least);
  }
}

TEST_CASE("damage of a JPEG causes no more than an error") {
  std::mt19937 random(2);
  for (std::size_t round = 0; round < 6000; ++round) {
    std::string damaged = read_file(golden() / "images" / jpegs[round % std::size(jpegs)]);
    for (auto flips = 1 + random() % 6; flips > 0; --flips)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    if (random() % 3 == 0) damaged.resize(random() % damaged.size());
    if (random() % 3 == 0 && !damaged.empty()) damaged.erase(random() % damaged.size(), random() % 9);
    std::vector<std::uint8_t> bytes(damaged.begin(), damaged.end());
    static_cast<void>(adtr::detail::jpeg_scan_flaw(bytes));
    try {
      static_cast<void>(adtr::detail::check_format(bytes, "test.jpg"));
    } catch (const adtr::Error& error) {
      REQUIRE(error.code() == adtr::ErrorCode::bad_image);
    }
  }
}

TEST_CASE("CMYK is read as CMYK, with Adobe's marker or without") {
  const TemporaryFolder folder;
  for (const char* name : {"cmyk.jpg", "cmyk_bare.jpg"})
    CHECK(adtr::read_image(golden() / "images" / name).width == 27);
  CHECK(adtr::read_image(golden() / "images" / "cmyk.jpg").data ==
        adtr::read_image(golden() / "images" / "cmyk_bare.jpg").data);
  // Adobe's marker with a transform for three colours means YCCK, as in libjpeg.
  const std::string bare = read_file(golden() / "images" / "cmyk_bare.jpg");
  const auto with_transform = [&](char transform) {
    const std::string marker = segment(0xEE, std::string("Adobe\0\144\0\0\0\0", 11) + transform);
    return adtr::read_image(write_file(folder.path() / "cmyk.jpg", with_segments(bare, marker))).data;
  };
  CHECK(with_transform(0) == adtr::read_image(golden() / "images" / "cmyk_bare.jpg").data);
  CHECK(with_transform(1) == with_transform(2));
  CHECK(with_transform(2) != with_transform(0));
}

/// Which values of a mask mark a defect: with two values, with soft edges, in JPEG, and in unclear cases.
#include <cmath>

#include "adtr/data/image_file.hpp"
#include "adtr/data/resize.hpp"
#include "image_bytes.hpp"

using namespace test_data;

namespace {

constexpr std::size_t side = 64;

/// A disc of radius r in the middle, its edge `soft` pixels wide, from `low` to `high`.
std::vector<std::uint8_t> disc(double r, double soft, int low = 0, int high = 255) {
  std::vector<std::uint8_t> pixels;
  for (std::size_t y = 0; y < side; ++y)
    for (std::size_t x = 0; x < side; ++x) {
      const double distance = std::hypot(static_cast<double>(y) - 31.5, static_cast<double>(x) - 31.5);
      const double inside = std::clamp((r - distance) / soft + 0.5, 0.0, 1.0);
      pixels.push_back(static_cast<std::uint8_t>(std::lround(low + inside * (high - low))));
    }
  return pixels;
}

double marked(const adtr::Mask& mask) {
  return static_cast<double>(std::count(mask.data.begin(), mask.data.end(), std::uint8_t{255}));
}

class Masks {
 public:
  adtr::Mask read(const std::vector<std::uint8_t>& grey) { return adtr::read_mask(write(grey_png(side, side, grey))); }
  std::filesystem::path write(const std::string& bytes) { return write_file(folder_.path() / "mask.png", bytes); }

  void check_unclear(const std::string& bytes, std::string_view words) {
    const auto path = write(bytes);
    check_error([&] { static_cast<void>(adtr::read_mask(path)); }, path, words);
    try {
      static_cast<void>(adtr::read_mask(path));
    } catch (const adtr::Error& error) {
      CHECK(error.code() == adtr::ErrorCode::bad_data);
    }
  }
  void check_unclear(const std::vector<std::uint8_t>& grey, std::string_view words) {
    check_unclear(grey_png(side, side, grey), words);
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("a mask of one value, or of 0 and another, marks defects above 0") {
  Masks masks;
  for (const int value : {1, 2, 100, 255}) {
    const std::vector<std::uint8_t> pixels = disc(10, 1e-9, 0, value);
    const adtr::Mask mask = masks.read(pixels);
    CHECK(!mask.soft);
    for (std::size_t i = 0; i < pixels.size(); ++i) REQUIRE(mask.data[i] == (pixels[i] > 0 ? 255 : 0));
  }
  CHECK(marked(masks.read(std::vector<std::uint8_t>(side * side, 0))) == 0);
  CHECK(marked(masks.read(std::vector<std::uint8_t>(side * side, 7))) == side * side);
  // 16-bit values with an upper byte of 0.
  std::string rows;
  for (std::size_t y = 0; y < 3; ++y) rows += std::string("\0\0\0\0\1", 5);
  const adtr::Mask faint = adtr::read_mask(masks.write(png_file({.height = 3, .width = 2, .depth = 16, .rows = rows})));
  CHECK(faint.data == std::vector<std::uint8_t>{0, 255, 0, 255, 0, 255});
  CHECK(!faint.soft);
}

TEST_CASE("class numbers mark defects above 0") {
  Masks masks;
  std::vector<std::uint8_t> pixels(side * side, 0);
  for (std::size_t i = 0; i < 2000; ++i) pixels[i] = static_cast<std::uint8_t>(i / 500);
  const adtr::Mask mask = masks.read(pixels);
  CHECK(marked(mask) == 1500);
  CHECK(!mask.soft);
}

TEST_CASE("a soft mask marks defects above half of its range") {
  Masks masks;
  const double hard = marked(masks.read(disc(15, 1e-9)));
  for (const double soft : {1.0, 2.0, 4.0, 7.0}) {
    INFO(soft << " pixels of edge");
    const adtr::Mask mask = masks.read(disc(15, soft));
    CHECK(mask.soft);
    CHECK(std::abs(marked(mask) - hard) <= 0.02 * hard);
  }
  // The range need not begin at 0 or end at 255.
  for (const auto& [low, high] : {std::pair{40, 200}, {0, 120}, {1, 254}}) {
    const adtr::Mask mask = masks.read(disc(15, 3.0, low, high));
    CHECK(mask.soft);
    CHECK(std::abs(marked(mask) - hard) <= 0.02 * hard);
  }
  // With two nonzero values, the larger one is the defect.
  const adtr::Mask light = masks.read(disc(15, 1e-9, 1, 254));
  CHECK(light.soft);
  CHECK(marked(light) == hard);
  // Few values, as in a mask of two values after halving its size.
  std::vector<std::uint8_t> few = disc(15, 1e-9);
  for (std::size_t i = side; i + side < few.size(); ++i)
    if (few[i] == 0 && few[i + 1] == 255) few[i] = 128;
  const adtr::Mask edge = masks.read(few);
  CHECK(edge.soft);
  CHECK(marked(edge) > hard);
  CHECK(adtr::resize_nearest(edge, 8, 8).soft);
}

TEST_CASE("a mask in JPEG marks what the PNG marks") {
  // Made by Pillow from the same discs: make_golden.py.
  for (auto& line : golden_lines("masks")) {
    std::string name;
    double area = 0;
    REQUIRE(line >> name >> area);
    INFO(name);
    const adtr::Mask mask = adtr::read_mask(golden() / "images" / name);
    CHECK(mask.soft == (std::string_view(name).ends_with(".jpg")));
    CHECK(std::abs(marked(mask) - area) <= 0.01 * area);
  }
}

TEST_CASE("a mask that may mean several things is refused") {
  Masks masks;
  std::vector<std::uint8_t> classes(side * side, 0);
  for (std::size_t y = 0; y < side; ++y)
    for (std::size_t x = 0; x < side; ++x) classes[y * side + x] = static_cast<std::uint8_t>(y / 16 * 85);
  masks.check_unclear(classes,
                      "it is unclear what this mask marks: it has areas of several values, 0, 85, 170 and 255");
  std::vector<std::uint8_t> spot = disc(15, 1e-9);
  spot[5 * side + 5] = 85;  // a separate defect, which half of the range would drop
  masks.check_unclear(spot, "0, 85 and 255");
  // A label map with many classes.
  for (std::size_t y = 0; y < side; ++y)
    for (std::size_t x = 0; x < side; ++x)
      classes[y * side + x] = static_cast<std::uint8_t>((y / 16 * 4 + x / 16) * 17);
  masks.check_unclear(classes, "it has areas of several values, from 0 to 255");
  // Noise, or classes without a 0.
  masks.check_unclear(disc(15, 1e-9, 1, 2), "its values are close together, 1 and 2");
  masks.check_unclear(disc(15, 4, 30, 90), "its values are close together, from 30 to 90");
  masks.check_unclear(read_file(golden() / "images" / "dark_mask.jpg"), "its values are close together");
}

TEST_CASE("a mask that lies in the alpha channel is refused") {
  Masks masks;
  const std::vector<std::uint8_t> alpha = disc(15, 1e-9);
  const auto file = [&](int colour, std::size_t channels, std::uint8_t value) {
    std::vector<std::uint8_t> pixels;
    for (const std::uint8_t a : alpha) {
      pixels.insert(pixels.end(), channels - 1, value);
      pixels.push_back(a);
    }
    return png_file({.height = side, .width = side, .colour = colour, .rows = png_rows(pixels, side, side, channels)});
  };
  for (const std::uint8_t value : {std::uint8_t{0}, std::uint8_t{255}}) {
    masks.check_unclear(file(4, 2, value), "the mask is in the alpha channel");
    masks.check_unclear(file(6, 4, value), "the mask is in the alpha channel");
  }
  // If colours differ, alpha is ignored; a constant colour with a constant alpha is valid, too.
  std::vector<std::uint8_t> pixels;
  for (const std::uint8_t a : alpha) pixels.insert(pixels.end(), {a, static_cast<std::uint8_t>(255 - a / 2)});
  const auto path =
      masks.write(png_file({.height = side, .width = side, .colour = 4, .rows = png_rows(pixels, side, side, 2)}));
  CHECK(adtr::read_mask(path).data == alpha);
  const std::vector<std::uint8_t> plain(side * side * 2, 255);
  CHECK(marked(adtr::read_mask(masks.write(png_file(
            {.height = side, .width = side, .colour = 4, .rows = png_rows(plain, side, side, 2)})))) == side * side);
}

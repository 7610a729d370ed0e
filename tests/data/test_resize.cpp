/// Compares resizing with Pillow (make_golden.py), and tests the allocations of a Resizer.
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "adtr/data/resize.hpp"
#include "support.hpp"
#include "support/allocations.hpp"

using namespace test_data;

TEST_CASE("resize equals Pillow's BILINEAR bit for bit") {
  for (auto& line : golden_lines("resize")) {
    std::string name;
    std::string hash;
    std::string hex;
    Index h = 0;
    Index w = 0;
    Index channels = 0;
    Index out_h = 0;
    Index out_w = 0;
    REQUIRE(line >> name >> h >> w >> channels >> out_h >> out_w >> hash >> hex);
    INFO(name);
    const auto pixels = formula_pixels(h, w, channels);
    const adtr::Image out = adtr::resize(adtr::ImageView(pixels.data(), h, w, channels), out_h, out_w);
    CHECK(out.height == out_h);
    CHECK(out.width == out_w);
    if (hex != "-") {  // reports the differences of the pixels
      const auto expected = from_hex(hex);
      REQUIRE(out.data.size() == expected.size());
      int worst = 0;
      for (std::size_t i = 0; i < expected.size(); ++i) worst = std::max(worst, std::abs(out.data[i] - expected[i]));
      CHECK(worst == 0);
    }
    CHECK(fnv(out.data) == hash);
  }
}

TEST_CASE("resize_nearest equals Pillow's NEAREST") {
  for (auto& line : golden_lines("nearest")) {
    Index h = 0;
    Index w = 0;
    Index out_h = 0;
    Index out_w = 0;
    std::string hash;
    REQUIRE(line >> h >> w >> out_h >> out_w >> hash);
    INFO(h << "x" << w << " to " << out_h << "x" << out_w);
    adtr::Mask mask(h, w);
    mask.data = formula_pixels(h, w, 1);
    CHECK(fnv(adtr::resize_nearest(mask, out_h, out_w).data) == hash);
  }
}

TEST_CASE("resize reads the caller's memory in place") {
  const adtr::Image image = formula_image(23, 31);
  const adtr::Image expected = adtr::resize(image, 12, 15);
  const Index stride = 31 * 4 + 5;
  for (const bool bgr : {false, true}) {
    for (const Index channels : {3, 4}) {
      std::vector<std::uint8_t> pixels(static_cast<std::size_t>(23 * stride), 77);
      for (Index y = 0; y < 23; ++y)
        for (Index x = 0; x < 31; ++x)
          for (Index c = 0; c < 3; ++c)
            pixels[static_cast<std::size_t>(y * stride + x * channels + (bgr ? 2 - c : c))] = image.row(y)[x * 3 + c];
      const auto order = bgr ? adtr::ChannelOrder::bgr : adtr::ChannelOrder::rgb;
      const adtr::ImageView view(pixels.data(), 23, 31, channels, stride, order);
      CHECK(adtr::resize(view, 12, 15).data == expected.data);
      CHECK(adtr::to_image(view).data == image.data);
    }
  }
  SECTION("bottom to top") {
    adtr::Image flipped(23, 31);
    for (Index y = 0; y < 23; ++y) std::copy_n(image.row(y), 31 * 3, flipped.row(22 - y));
    CHECK(adtr::resize(adtr::ImageView(flipped.row(22), 23, 31, 3, -31 * 3), 12, 15).data == expected.data);
  }
}

TEST_CASE("a Resizer allocates nothing for a size that it has seen") {
  const adtr::Image image = formula_image(300, 200);
  const adtr::Image other = formula_image(150, 170);
  adtr::Resizer resizer(64, 48);
  adtr::Image out;
  resizer(image, out);
  const std::size_t before = support::allocations();
  resizer(image, out);
  resizer(other, out);
  resizer(image, out);
  CHECK(support::allocations() == before);
  CHECK(out.data == adtr::resize(image, 64, 48).data);
  CHECK(support::allocations() > before);  // the counter works
}

TEST_CASE("a copy of a Resizer is independent") {
  const adtr::Image image = formula_image(30, 40);
  adtr::Image out;
  auto first = std::make_unique<adtr::Resizer>(8, 9);
  (*first)(image, out);
  adtr::Resizer copy = *first;
  first.reset();
  adtr::Image again;
  copy(image, again);
  CHECK(again.data == out.data);
}

TEST_CASE("invalid views and sizes are errors") {
  const std::vector<std::uint8_t> pixels(100);
  CHECK_THROWS_AS(adtr::ImageView(pixels.data(), 0, 5), adtr::Error);
  CHECK_THROWS_AS(adtr::ImageView(pixels.data(), 5, -1), adtr::Error);
  CHECK_THROWS_AS(adtr::ImageView(nullptr, 5, 5), adtr::Error);
  CHECK_THROWS_WITH(adtr::ImageView(pixels.data(), 5, 5, 2), "image view: expected 1, 3 or 4 channels, found 2");
  CHECK_THROWS_WITH(adtr::ImageView(pixels.data(), 5, 5, 3, 14),
                    "image view: expected a row stride of at least 15 bytes, found 14");
  CHECK_THROWS_WITH(adtr::Resizer(0, 7),
                    "resize: expected a height and a width of at least 1, found a height of 0 and a width of 7");
  CHECK_THROWS_AS(adtr::resize_nearest(adtr::Mask(), 4, 4), adtr::Error);
  CHECK_THROWS_AS(adtr::resize_nearest(adtr::Mask(4, 4), 0, 4), adtr::Error);
}

/// The heat map: colours, scale, overlay, outline.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "adtr/report/heat_map.hpp"
#include "support/catch.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;

/// OKLab lightness and distance, to check the table against its comment.
std::array<double, 3> oklab(adtr::Rgb colour) {
  const auto linear = [](std::uint8_t byte) {
    const double c = byte / 255.0;
    return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
  };
  const double r = linear(colour[0]);
  const double g = linear(colour[1]);
  const double b = linear(colour[2]);
  const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
          1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

Bytes ramp(std::size_t n) {
  Bytes bytes(n);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::uint8_t>(i * 37 % 256);
  return bytes;
}

}  // namespace

TEST_CASE("the colour map darkens linearly and turns from yellow to crimson in equal steps") {
  for (std::size_t i = 0; i < adtr::heat_colours.size(); ++i) {
    const auto lab = oklab(adtr::heat_colours[i]);
    const double t = static_cast<double>(i) / 16;
    CHECK(lab[0] == Approx(0.93 - 0.48 * t).margin(0.005));
    const double hue = std::atan2(lab[2], lab[1]) * 180 / 3.14159265358979;
    CHECK(hue == Approx(105 - 90 * t).margin(1.5));
    if (i == 0) continue;
    const auto last = oklab(adtr::heat_colours[i - 1]);
    const double step = std::hypot(lab[0] - last[0], lab[1] - last[1], lab[2] - last[2]);
    CHECK(step > 0.03);
    CHECK(step < 0.055);
  }
  CHECK(adtr::heat_colour(-1.0F) == adtr::heat_colours.front());
  CHECK(adtr::heat_colour(0.5F) == adtr::heat_colours[8]);
  CHECK(adtr::heat_colour(7.0F) == adtr::heat_colours.back());
}

TEST_CASE("scores at or below the scale leave the image unchanged") {
  const Bytes rgb = ramp(4 * 5 * 3);
  CHECK(adtr::overlay(rgb, std::vector<float>(20, 0.0F), 4, 5, {0.0F, 1.0F}) == rgb);
  CHECK(adtr::overlay(rgb, std::vector<float>(20, -3.0F), 4, 5, {0.0F, 1.0F}) == rgb);
  CHECK(adtr::overlay(rgb, std::vector<float>(20, 2.0F), 4, 5, {2.0F, 2.5F}) == rgb);
  CHECK(adtr::overlay(rgb, std::vector<float>(20, 0.5F), 4, 5, {0.0F, 1.0F}) != rgb);
}

TEST_CASE("the same score has the same colour in two images with different content") {
  const Bytes grey(2 * 2 * 3, 128);
  const adtr::HeatScale scale{1.0F, 5.0F};
  const Bytes one = adtr::overlay(grey, std::vector<float>{0, 3, 0, 1}, 2, 2, scale);
  const Bytes other = adtr::overlay(grey, std::vector<float>{50, 3, 40, 4}, 2, 2, scale);
  CHECK(std::equal(one.begin() + 3, one.begin() + 6, other.begin() + 3));
  CHECK_FALSE(std::equal(one.begin(), one.begin() + 3, other.begin()));
}

TEST_CASE("opacity rises with the score, and the part is visible under the strongest colour") {
  const Bytes black(3 * 5, 0);
  const Bytes mixed = adtr::overlay(black, std::vector<float>{0, 0.01F, 0.5F, 1, 9}, 1, 5, {0, 1});
  CHECK(mixed[0] == 0);
  CHECK(mixed[3] < 8);
  CHECK(mixed[6] > 100);
  CHECK(mixed[9] == std::lround(0.8 * 159));
  CHECK(mixed[12] == mixed[9]);
  for (int i = 0; i < 64; ++i) {
    const float t = static_cast<float>(i) / 64.0F;
    CHECK(adtr::heat_opacity(t) < adtr::heat_opacity(t + 1.0F / 64.0F));
  }
}

TEST_CASE("the scale leaves most of good parts clear, shows faint defects and does not saturate on strong ones") {
  std::vector<float> good(10000);
  for (std::size_t i = 0; i < good.size(); ++i) good[i] = static_cast<float>(i) / 10000.0F;
  // Median 0.5, 95 % at 0.95, 99.5 % at 0.995.
  const adtr::HeatScale calm = adtr::heat_scale(good);
  CHECK(calm.low == Approx(0.95).margin(1e-3));
  CHECK(calm.high == Approx(0.5 + 3 * 0.495).margin(2e-3));
  CHECK(adtr::heat_opacity((1.0F - calm.low) / (calm.high - calm.low)) < 0.08F);  // the highest good pixel
  // With defects that hardly differ, the scale stays above the noise.
  const adtr::HeatScale faint = adtr::heat_scale(good, good);
  CHECK(faint.low == calm.low);
  CHECK(faint.high == Approx(0.5 + 1.5 * 0.495).margin(2e-3));
  // With strong defects, it ends at their 99 % quantile for any number of good images.
  std::vector<float> defective = good;
  defective.insert(defective.end(), 200, 40.0F);
  CHECK(adtr::heat_scale(good, defective).low == calm.low);
  CHECK(adtr::heat_scale(good, defective).high == 40.0F);
  std::vector<float> more = good;
  for (int i = 0; i < 9; ++i) more.insert(more.end(), good.begin(), good.end());
  CHECK(adtr::heat_scale(more, defective).high == 40.0F);
  const adtr::HeatScale constant = adtr::heat_scale(std::vector<float>(7, 3.0F));
  CHECK(constant.high > constant.low);
  CHECK_THROWS_AS(adtr::heat_scale({}), adtr::Error);
  CHECK_THROWS_AS(adtr::heat_scale(std::vector<float>{1, std::numeric_limits<float>::infinity()}), adtr::Error);
}

TEST_CASE("the scale of histograms is that of their scores") {
  std::vector<float> good, defective;
  adtr::ScoreHistogram good_histogram, defective_histogram, none;
  for (int i = 0; i < 20000; ++i) {
    good.push_back(std::sin(static_cast<float>(i)));
    defective.push_back(3.0F * std::sin(static_cast<float>(i) * 1.7F));
    good_histogram.add(good.back());
    defective_histogram.add(defective.back());
  }
  const adtr::HeatScale both = adtr::heat_scale(good, defective);
  const adtr::HeatScale found = adtr::heat_scale(good_histogram, defective_histogram);
  CHECK((found.low == both.low && found.high == both.high));
  const adtr::HeatScale alone = adtr::heat_scale(good), found_alone = adtr::heat_scale(good_histogram, none);
  CHECK((found_alone.low == alone.low && found_alone.high == alone.high));
  CHECK_THROWS_AS(adtr::heat_scale(none, good_histogram), adtr::Error);
  defective_histogram.add(std::numeric_limits<float>::infinity());
  CHECK_THROWS_AS(adtr::heat_scale(good_histogram, defective_histogram), adtr::Error);
}

TEST_CASE("the outline surrounds the defect and covers none of it") {
  const Bytes rgb(6 * 6 * 3, 10);
  Bytes mask(36, 0);
  mask[2 * 6 + 2] = 255;
  mask[2 * 6 + 3] = 1;
  const Bytes drawn = adtr::outline(rgb, mask, 6, 6);
  std::size_t line = 0;
  for (std::size_t i = 0; i < 36; ++i) {
    const bool changed = drawn[3 * i + 2] != 10;
    if (mask[i] != 0) CHECK_FALSE(changed);
    line += changed ? 1 : 0;
  }
  CHECK(line == 10);
  CHECK(adtr::outline(rgb, Bytes(36, 0), 6, 6) == rgb);
  CHECK(adtr::outline(Bytes(3, 7), Bytes(1, 1), 1, 1) == Bytes(3, 7));  // nothing lies outside
}

TEST_CASE("pictures, maps and masks of other sizes, NaN and empty scales are refused") {
  const Bytes rgb(12, 0);
  const std::vector<float> scores(4, 0.0F);
  CHECK_THROWS_AS(adtr::overlay(rgb, scores, 2, 3, {0, 1}), adtr::Error);
  CHECK_THROWS_AS(adtr::overlay(rgb, std::vector<float>(3), 2, 2, {0, 1}), adtr::Error);
  CHECK_THROWS_AS(adtr::overlay(rgb, scores, 2, 2, {1, 1}), adtr::Error);
  CHECK_THROWS_AS(adtr::overlay(rgb, std::vector<float>(4, std::numeric_limits<float>::quiet_NaN()), 2, 2, {0, 1}),
                  adtr::Error);
  CHECK_THROWS_AS(adtr::outline(rgb, Bytes(3, 0), 2, 2), adtr::Error);
}

// Confetti is drawn from the distributions of the method, and painted and blurred as it describes, with the same bits
// everywhere.
#include "adtr/data/confetti.hpp"

#include <cmath>

#include "support/catch.hpp"

using adtr::Index;

namespace {

/// A pattern in integers, between `dark` and `dark` + 127.
adtr::Image pattern(Index height, Index width, int dark = 100) {
  adtr::Image image(height, width);
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x)
      for (Index c = 0; c < 3; ++c)
        image.row(y)[3 * x + c] = static_cast<std::uint8_t>(dark + static_cast<int>((7 * y + 3 * x * (c + 1)) % 128));
  return image;
}

std::uint64_t checksum(const std::vector<std::uint8_t>& bytes) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const std::uint8_t b : bytes) hash = (hash ^ b) * 0x100000001B3;
  return hash;
}

struct Mean {
  double sum = 0.0, squares = 0.0, count = 0.0;
  void add(double x) {
    sum += x;
    squares += x * x;
    count += 1.0;
  }
  [[nodiscard]] double mean() const { return sum / count; }
  [[nodiscard]] double variance() const { return squares / count - mean() * mean(); }
  /// Whether mean and variance are within four standard errors and 15 % of what a distribution has.
  void expect(double m, double v) const {
    CHECK(std::abs(mean() - m) < 4.0 * std::sqrt(v / count));
    CHECK(variance() == Approx(v).epsilon(0.15));
  }
};

}  // namespace

TEST_CASE("Squares of confetti have the number, sides, angles, places and colours that the method states") {
  constexpr Index height = 230, width = 320;
  Mean coloured, grey, side, angle, x, y, fill;
  Index least = 99, largest = 0;
  int darkest = 0, brightest = -999;
  for (std::uint64_t i = 0; i < 1500; ++i) {
    adtr::RandomStream random(3, i);
    double kinds[2] = {0.0, 0.0};
    for (const adtr::Blob& b : adtr::Confetti::draw(height, width, random)) {
      kinds[b.grey ? 1 : 0] += 1.0;
      side.add(static_cast<double>(b.side));
      angle.add(static_cast<double>(b.angle) * 0x1p-30);
      x.add(static_cast<double>(b.x));
      y.add(static_cast<double>(b.y));
      least = std::min(least, b.side);
      largest = std::max(largest, b.side);
      for (const std::int16_t c : b.fill) {
        if (b.grey) {
          CHECK(c == -255);
          continue;
        }
        fill.add(c);
        darkest = std::min<int>(darkest, c);
        brightest = std::max<int>(brightest, c);
      }
    }
    REQUIRE((kinds[0] >= 1.0 && kinds[1] >= 1.0));
    coloured.add(kinds[0]);
    grey.add(kinds[1]);
  }
  // A Poisson variable under the condition that it is at least one.
  const auto at_least_one = [](const Mean& count, double expected) {
    const double some = 1.0 - std::exp(-expected), mean = expected / some;
    count.expect(mean, mean * (1.0 + expected) - mean * mean);
  };
  at_least_one(coloured, 1.8e-5 * height * width);
  at_least_one(grey, 1.2e-5 * height * width);
  CHECK((least == 8 && largest == 54));
  CHECK((darkest == -256 && brightest == 0));
  side.expect(31.0, (47.0 * 47.0 - 1.0) / 12.0);
  angle.expect(0.0, std::pow(std::acos(-1.0) / 2.0, 2) / 12.0);
  x.expect((width - 1) / 2.0, (width * width - 1.0) / 12.0);
  y.expect((height - 1) / 2.0, (height * height - 1.0) / 12.0);
  fill.expect(-128.0, (257.0 * 257.0 - 1.0) / 12.0);
}

TEST_CASE("Confetti equals floating-point squares after a 25×25 Gaussian of sigma 5, except for rounding") {
  constexpr Index height = 120, width = 150;
  const adtr::Image image = pattern(height, width);
  // Two squares that overlap, a grey one over them, and one across the border.
  const std::vector<adtr::Blob> blobs{{40, 50, 40, 400000000, false, {-200, -20, -100}},
                                      {55, 60, 31, -700000000, false, {-10, -250, 0}},
                                      {2, 140, 54, 0, false, {-90, -90, -30}},
                                      {60, 70, 25, 100000000, true}};
  std::vector<double> sharp(static_cast<std::size_t>(height * width * 3));
  for (const auto& b : blobs)
    for (Index v = 0; v < height; ++v)
      for (Index u = 0; u < width; ++u) {
        const double a = static_cast<double>(b.angle) * 0x1p-30, dx = static_cast<double>(u - b.x),
                     dy = static_cast<double>(v - b.y), half = static_cast<double>(b.side) / 2.0;
        const double along = dx * std::cos(a) + dy * std::sin(a), across = dy * std::cos(a) - dx * std::sin(a);
        if (along < -half || along >= half || across < -half || across >= half) continue;
        const auto p = static_cast<std::size_t>(v * width + u);
        for (std::size_t c = 0; c < 3; ++c) sharp[3 * p + c] = b.grey ? sharp[3 * p + c] - 255 : b.fill[c];
      }
  double total = 0.0;
  for (int k = -12; k <= 12; ++k) total += std::exp(-k * k / 50.0);

  adtr::Image out;
  adtr::Mask mask;
  adtr::ConfettiMaker{}.apply(image, blobs, out, mask);
  REQUIRE((out.height == height && out.width == width && mask.height == height && mask.width == width));
  int changed = 0;
  for (Index v = 0; v < height; ++v)
    for (Index u = 0; u < width; ++u)
      for (Index c = 0; c < 3; ++c) {
        double soft = 0.0;
        for (Index j = std::max<Index>(0, v - 12); j <= std::min<Index>(height - 1, v + 12); ++j)
          for (Index i = std::max<Index>(0, u - 12); i <= std::min<Index>(width - 1, u + 12); ++i)
            soft += std::exp(-static_cast<double>((j - v) * (j - v) + (i - u) * (i - u)) / 50.0) *
                    sharp[static_cast<std::size_t>((j * width + i) * 3 + c)];
        soft /= total * total;
        const double expected = std::clamp(image.row(v)[3 * u + c] + soft, 0.0, 255.0);
        if (std::abs(out.row(v)[3 * u + c] - expected) > 0.6) FAIL("at " << v << ", " << u << ", " << c);
        if (out.row(v)[3 * u + c] != image.row(v)[3 * u + c]) ++changed;
      }
  CHECK(changed > 10000);
}

TEST_CASE("The mask marks the pixels that changed, and no others") {
  const adtr::Image image = pattern(300, 260);
  for (std::uint64_t draw = 0; draw < 20; ++draw) {
    const auto [out, mask] = adtr::confetti_sample(image, 1, draw);
    bool exact = true;
    for (std::size_t p = 0; p < mask.data.size(); ++p) {
      bool changed = false;
      for (std::size_t c = 0; c < 3; ++c) changed = changed || out.data[3 * p + c] != image.data[3 * p + c];
      exact = exact && mask.data[p] == (changed ? 255 : 0);
    }
    CHECK(exact);
    CHECK(mask.defective());
  }
}

TEST_CASE("In an image that is too dark to become darker, the confetti is bright") {
  adtr::Image black(100, 100);
  const auto [out, mask] = adtr::confetti_sample(black, 1, 0);
  CHECK(mask.defective());
  CHECK(*std::max_element(out.data.begin(), out.data.end()) > 50);
  const auto light = adtr::confetti_sample(pattern(100, 100), 1, 0);
  for (std::size_t i = 0; i < light.image.data.size(); ++i) REQUIRE(light.image.data[i] <= pattern(100, 100).data[i]);
}

TEST_CASE("A seed and a number give the same confetti everywhere") {
  const adtr::Image image = pattern(256, 320);
  const auto sample = adtr::confetti_sample(image, 7, 11);
  // Recorded in the first run. It must be the same for every compiler, instruction set and number of threads.
  CHECK(checksum(sample.image.data) == 0x8BFAAADA37EBDF91);
  CHECK(checksum(sample.mask.data) == 0x3FEEEC973A430658);
  const auto small = adtr::confetti_sample(pattern(32, 32), 7, 12);
  CHECK(checksum(small.image.data) == 0x6D53FC3EAEDA7D46);
  CHECK(adtr::confetti_sample(image, 8, 11).image.data != sample.image.data);
  CHECK(adtr::confetti_sample(image, 7, 12).image.data != sample.image.data);

  // A maker for images of several sizes keeps nothing of the previous image.
  adtr::ConfettiMaker maker;
  adtr::Image out;
  adtr::Mask mask;
  maker(pattern(400, 300), adtr::RandomStream(7, 1), out, mask);
  maker(image, adtr::RandomStream(7, 11), out, mask);
  CHECK(out.data == sample.image.data);
  CHECK(mask.data == sample.mask.data);
}

/// AUPRO against an independent NumPy reference (make_golden.py) and curves drawn by hand.
#include <chrono>
#include <cmath>
#include <limits>
#include <vector>

#include "adtr/metrics/aupro.hpp"
#include "data.hpp"
#include "golden_values.hpp"
#include "support/catch.hpp"

using Mask = std::vector<std::uint8_t>;

TEST_CASE("AUPRO equals the reference on random and tied maps, at several limits") {
  for (const golden::Maps& expected : golden::maps) {
    INFO("seed " << expected.seed);
    adtr::Aupro aupro;
    for (const MapData& d :
         map_data(expected.seed, expected.images, expected.height, expected.width, expected.levels)) {
      aupro.add(d.scores, d.mask, expected.height, expected.width);
    }
    CHECK(aupro.regions() == expected.regions);
    CHECK(std::abs(aupro.value() - expected.aupro_30) < 1e-12);
    CHECK(std::abs(aupro.value(0.05) - expected.aupro_05) < 1e-12);
    CHECK(std::abs(aupro.value(1.0) - expected.aupro_100) < 1e-12);
    CHECK(std::abs(aupro.value(0.3) - expected.aupro_30) < 1e-12);
  }
}

TEST_CASE("regions touch at corners") {
  const Mask mask{1, 0, 0, 9,  //
                  0, 1, 0, 0,  //
                  0, 0, 0, 1};
  const adtr::Regions regions = adtr::label_regions(mask, 3, 4);
  CHECK(regions.sizes == std::vector<std::size_t>{2, 1, 1});
  CHECK(regions.labels == std::vector<std::uint32_t>{1, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 3});
  // A region does not leave the image on one side to enter it on the other.
  CHECK(adtr::label_regions(Mask{0, 0, 1, 1, 0, 0}, 2, 3).sizes.size() == 2);
}

TEST_CASE("AUPRO of maps that say all, nothing and the opposite") {
  const Mask mask{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  const std::vector<float> perfect{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  adtr::Aupro all;
  all.add(perfect, mask, 1, 11);
  CHECK(all.value() == Approx(1.0));
  adtr::Aupro nothing;  // one straight line from (0, 0) to (1, 1), cut at 0.3
  nothing.add(std::vector<float>(11, 0.5F), mask, 1, 11);
  CHECK(nothing.value() == Approx(0.15).epsilon(1e-14));
  CHECK(nothing.value(1.0) == Approx(0.5).epsilon(1e-14));
  adtr::Aupro opposite;
  opposite.add(std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, mask, 1, 11);
  CHECK(opposite.value() == 0.0);
  CHECK(opposite.value(1.0) == 0.0);
}

TEST_CASE("a small region counts as much as a large one, and good images add false positives") {
  adtr::Aupro aupro;
  aupro.add(std::vector<float>{9, 0, 1, 1, 1, 1}, Mask{1, 0, 1, 1, 1, 1}, 1, 6);  // PRO ½ at FPR 0
  aupro.add(std::vector<float>(4, 0.0F), {}, 2, 2);
  aupro.add(std::vector<float>(5, 5.0F), Mask(5, 0), 1, 5);  // half of the normal pixels come before the large region
  CHECK(aupro.regions() == 2);
  CHECK(aupro.value() == Approx(0.5).epsilon(1e-14));
  CHECK(aupro.value(1.0) == Approx(0.75).epsilon(1e-14));
}

TEST_CASE("AUPRO without regions or normal pixels is NaN") {
  adtr::Aupro aupro;
  CHECK(std::isnan(aupro.value()));
  aupro.add(std::vector<float>{1, 2}, Mask{0, 0}, 1, 2);
  CHECK(std::isnan(aupro.value()));
  adtr::Aupro only_defects;
  only_defects.add(std::vector<float>{1, 2}, Mask{1, 1}, 1, 2);
  CHECK(std::isnan(only_defects.value()));
}

TEST_CASE("AUPRO refuses maps and masks of other sizes, NaN and limits that are no rate") {
  adtr::Aupro aupro;
  CHECK_THROWS_AS(aupro.add(std::vector<float>{1, 2}, Mask{0, 1, 0}, 1, 2), adtr::Error);
  CHECK_THROWS_AS(aupro.add(std::vector<float>{1, 2}, Mask{0, 1}, 2, 2), adtr::Error);
  CHECK_THROWS_AS(aupro.add(std::vector<float>{1, std::numeric_limits<float>::quiet_NaN()}, Mask{0, 1}, 1, 2),
                  adtr::Error);
  CHECK_THROWS_AS(aupro.value(0.0), adtr::Error);
  CHECK_THROWS_AS(aupro.value(30), adtr::Error);
}

TEST_CASE("ten million pixels take seconds", "[.slow]") {
  adtr::Aupro aupro;
  Lcg lcg{1};
  std::vector<float> scores(256 * 256);
  Mask mask(scores.size(), 0);
  for (std::size_t y = 50; y < 90; ++y)
    std::fill_n(mask.begin() + static_cast<std::ptrdiff_t>(y * 256 + 60), 40, std::uint8_t{1});
  const auto start = std::chrono::steady_clock::now();
  for (int image = 0; image < 160; ++image) {
    for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = static_cast<float>(lcg.next() + 0.5 * mask[i]);
    aupro.add(scores, mask, 256, 256);
  }
  const double value = aupro.value();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  WARN("AUPRO " << value << " of " << 160 * scores.size() << " pixels in " << seconds.count() << " s");
  CHECK(seconds.count() < 10);
}

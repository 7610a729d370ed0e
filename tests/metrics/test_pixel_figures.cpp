/// Compares AUPRO with an independent NumPy reference (make_golden.py) and curves computed by hand, and all pixel
/// figures with the exact ones, for histograms of every size.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <vector>

#include "adtr/metrics/pixel_figures.hpp"
#include "adtr/metrics/precision_recall.hpp"
#include "adtr/metrics/roc.hpp"
#include "data.hpp"
#include "exact_aupro.hpp"
#include "golden_values.hpp"
#include "support/allocations.hpp"
#include "support/catch.hpp"

using Mask = std::vector<std::uint8_t>;

TEST_CASE("AUPRO equals the reference on random and tied maps, at several limits") {
  for (const golden::Maps& expected : golden::maps) {
    INFO("seed " << expected.seed);
    adtr::PixelHistogram aupro;
    for (const MapData& d :
         map_data(expected.seed, expected.images, expected.height, expected.width, expected.levels)) {
      aupro.add(d.scores, d.mask, expected.height, expected.width);
    }
    CHECK(aupro.regions() == expected.regions);
    CHECK(std::abs(adtr::aupro(aupro).value - expected.aupro_30) < 1e-12);
    CHECK(std::abs(adtr::aupro(aupro, 0.05).value - expected.aupro_05) < 1e-12);
    CHECK(std::abs(adtr::aupro(aupro, 1.0).value - expected.aupro_100) < 1e-12);
    CHECK(std::abs(adtr::aupro(aupro, 0.3).value - expected.aupro_30) < 1e-12);
  }
}

TEST_CASE("regions touch at corners") {
  const Mask mask{1, 0, 0, 9,  //
                  0, 1, 0, 0,  //
                  0, 0, 0, 1};
  const adtr::Regions regions = adtr::label_regions(mask, 3, 4);
  CHECK(regions.sizes == std::vector<std::size_t>{2, 1, 1});
  CHECK(regions.labels == std::vector<std::uint32_t>{1, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 3});
  // A region does not wrap around from one side of the image to the other.
  CHECK(adtr::label_regions(Mask{0, 0, 1, 1, 0, 0}, 2, 3).sizes.size() == 2);
}

TEST_CASE("AUPRO of perfect, constant and inverted maps") {
  const Mask mask{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  const std::vector<float> perfect{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  adtr::PixelHistogram all;
  all.add(perfect, mask, 1, 11);
  CHECK(adtr::aupro(all).value == Approx(1.0));
  adtr::PixelHistogram nothing;  // one straight line from (0, 0) to (1, 1), cut at 0.3
  nothing.add(std::vector<float>(11, 0.5F), mask, 1, 11);
  CHECK(adtr::aupro(nothing).value == Approx(0.15).epsilon(1e-14));
  CHECK(adtr::aupro(nothing, 1.0).value == Approx(0.5).epsilon(1e-14));
  adtr::PixelHistogram opposite;
  opposite.add(std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, mask, 1, 11);
  CHECK(adtr::aupro(opposite).value == 0.0);
  CHECK(adtr::aupro(opposite, 1.0).value == 0.0);
}

TEST_CASE("a small region counts as much as a large one, and good images add false positives") {
  adtr::PixelHistogram aupro;
  aupro.add(std::vector<float>{9, 0, 1, 1, 1, 1}, Mask{1, 0, 1, 1, 1, 1}, 1, 6);  // PRO ½ at FPR 0
  aupro.add(std::vector<float>(4, 0.0F), {}, 2, 2);
  aupro.add(std::vector<float>(5, 5.0F), Mask(5, 0), 1, 5);  // half of the normal pixels come before the large region
  CHECK(aupro.regions() == 2);
  CHECK(adtr::aupro(aupro).value == Approx(0.5).epsilon(1e-14));
  CHECK(adtr::aupro(aupro, 1.0).value == Approx(0.75).epsilon(1e-14));
}

TEST_CASE("AUPRO without regions or normal pixels is NaN") {
  adtr::PixelHistogram aupro;
  CHECK(std::isnan(adtr::aupro(aupro).value));
  aupro.add(std::vector<float>{1, 2}, Mask{0, 0}, 1, 2);
  CHECK(std::isnan(adtr::aupro(aupro).value));
  adtr::PixelHistogram only_defects;
  only_defects.add(std::vector<float>{1, 2}, Mask{1, 1}, 1, 2);
  CHECK(std::isnan(adtr::aupro(only_defects).value));
}

TEST_CASE("Pixel histograms refuse maps and masks of other sizes, NaN and invalid limits") {
  adtr::PixelHistogram aupro;
  CHECK_THROWS_AS(aupro.add(std::vector<float>{1, 2}, Mask{0, 1, 0}, 1, 2), adtr::Error);
  CHECK_THROWS_AS(aupro.add(std::vector<float>{1, 2}, Mask{0, 1}, 2, 2), adtr::Error);
  CHECK_THROWS_AS(aupro.add(std::vector<float>{1, std::numeric_limits<float>::quiet_NaN()}, Mask{0, 1}, 1, 2),
                  adtr::Error);
  CHECK_THROWS_AS(adtr::aupro(aupro, 0.0).value, adtr::Error);
  CHECK_THROWS_AS(adtr::aupro(aupro, 30).value, adtr::Error);
}

TEST_CASE("ten million pixels take seconds", "[.slow]") {
  adtr::PixelHistogram aupro;
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
  const double value = adtr::aupro(aupro).value;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  WARN("AUPRO " << value << " of " << 160 * scores.size() << " pixels in " << seconds.count() << " s");
  CHECK(seconds.count() < 10);
}

namespace {

/// A test set in memory: maps with masks, some without.
using Maps = std::vector<MapData>;

constexpr std::size_t side = 24;

/// Discs of defects in two of three maps. `score` computes the scores from a uniform number and the label.
template <class Score>
Maps maps_of(std::uint64_t seed, std::size_t images, Score score) {
  Maps maps = map_data(seed, images, side, side, 0);
  Lcg lcg{seed + 77};
  for (MapData& map : maps)
    for (std::size_t i = 0; i < map.scores.size(); ++i) map.scores[i] = score(lcg.next(), map.mask[i] != 0);
  return maps;
}

struct Figures {
  double auroc, average_precision, f1, f1_threshold, aupro_05, aupro_30, aupro_100;
};

Figures exact(const Maps& maps) {
  std::vector<float> scores;
  std::vector<std::uint8_t> labels;
  ExactAupro pro;
  for (const MapData& map : maps) {
    scores.insert(scores.end(), map.scores.begin(), map.scores.end());
    labels.insert(labels.end(), map.mask.begin(), map.mask.end());
    pro.add(map.scores, map.mask, side, side);
  }
  const adtr::Ranking ranking(scores, labels);
  const adtr::F1Max f1 = adtr::f1_max(ranking);
  return {
      adtr::auroc(ranking), adtr::average_precision(ranking), f1.value, f1.threshold, pro.value(0.05), pro.value(0.3),
      pro.value(1.0)};
}

adtr::PixelHistogram histogram_of(const Maps& maps, std::size_t most) {
  adtr::PixelHistogram pixels(most);
  for (const MapData& map : maps) pixels.add(map.scores, map.mask, side, side);
  return pixels;
}

constexpr double rounding = 1e-12;

struct Checked {
  std::string name;
  adtr::Bounded found;
  double exact;
};

std::vector<Checked> figures(adtr::PixelHistogram& pixels, const Figures& exact) {
  const adtr::BoundedF1 f1 = adtr::f1_max(pixels);
  return {{"AUROC", adtr::auroc(pixels), exact.auroc},
          {"AP", adtr::average_precision(pixels), exact.average_precision},
          {"F1-max", {f1.value, f1.bound}, exact.f1},
          {"AUPRO to 5 %", adtr::aupro(pixels, 0.05), exact.aupro_05},
          {"AUPRO to 30 %", adtr::aupro(pixels, 0.3), exact.aupro_30},
          {"AUPRO", adtr::aupro(pixels, 1.0), exact.aupro_100}};
}

const float inf = std::numeric_limits<float>::infinity();

/// Scores of every kind that a float can hold.
const std::map<std::string, std::function<float(double, bool)>> kinds{
    {"random", [](double u, bool d) { return static_cast<float>(u + (d ? 0.3 : 0.0)); }},
    {"opposite", [](double u, bool d) { return static_cast<float>(u - (d ? 0.3 : 0.0)); }},
    {"without meaning", [](double u, bool) { return static_cast<float>(u); }},
    {"tied", [](double u, bool d) { return static_cast<float>(std::floor(5 * (u + (d ? 0.3 : 0.0)))); }},
    {"negative", [](double u, bool d) { return static_cast<float>(-u * u + (d ? 0.1 : 0.0)); }},
    {"both signs and both zeros",
     [](double u, bool d) {
       const double s = std::floor(9 * u) - (d ? 3.0 : 4.0);
       return s == 0.0 && u * 1e4 - std::floor(u * 1e4) < 0.5 ? -0.0F : static_cast<float>(s);
     }},
    {"infinite",
     [](double u, bool d) {
       return u > 0.9 ? inf : u < 0.1 ? -inf : static_cast<float>(std::floor(50 * (u + (d ? 0.2 : 0.0))));
     }},
    {"tiny", [](double u, bool d) { return static_cast<float>((u + (d ? 0.3 : 0.0)) * 1e-41); }},  // denormal
    {"of all sizes", [](double u, bool d) { return static_cast<float>(std::exp(80 * (u - 0.5) + (d ? 9.0 : 0.0))); }},
    {"around a million", [](double u, bool d) { return static_cast<float>(1e6 + u + (d ? 0.3 : 0.0)); }},
    {"constant", [](double, bool) { return 2.5F; }},
    {"perfect", [](double u, bool d) { return static_cast<float>(u + (d ? 2.0 : 0.0)); }}};

}  // namespace

TEST_CASE("Pixel figures are exact while there are bins for all scores, and within their bound when there are not") {
  for (const auto& [kind, score] : kinds) {
    const Maps maps = maps_of(3, 9, score);
    const Figures expected = exact(maps);
    adtr::PixelHistogram all = histogram_of(maps, 1U << 14U);
    for (const Checked& figure : figures(all, expected)) {
      INFO(kind << ", " << figure.name);
      CHECK(figure.found.bound == 0.0);
      CHECK(std::abs(figure.found.value - figure.exact) <= rounding);
    }
    CHECK(adtr::auroc(all).value == expected.auroc);
    CHECK(adtr::f1_max(all).threshold == expected.f1_threshold);
    for (const std::size_t most : {1U, 2U, 3U, 10U, 50U, 200U, 1000U, 3000U}) {
      adtr::PixelHistogram pixels = histogram_of(maps, most);
      CHECK(pixels.bins().size() <= most);
      for (const Checked& figure : figures(pixels, expected)) {
        INFO(kind << ", " << figure.name << ", " << most << " bins: " << figure.found.value << " ± "
                  << figure.found.bound << ", exactly " << figure.exact);
        CHECK(figure.found.bound >= 0.0);
        CHECK(std::abs(figure.found.value - figure.exact) <= figure.found.bound + rounding);
      }
    }
  }
}

TEST_CASE("Bounds are small with many bins, and never below the effect of the order inside a bin") {
  // All orders of four normal and two defect pixels whose scores lie in one bin.
  std::vector<std::uint8_t> order{0, 0, 0, 0, 1, 1};
  do {
    MapData map{std::vector<float>(side * side, 0.0F), std::vector<std::uint8_t>(side * side, 0)};
    map.mask[0] = map.mask[2] = 1;  // certain: above and below the bin
    map.scores[0] = 9.0F;
    map.scores[2] = -9.0F;
    for (std::size_t i = 0; i < order.size(); ++i) {
      map.scores[100 + 2 * i] = 1.0F + static_cast<float>(i) * 0x1p-23F;
      map.mask[100 + 2 * i] = order[i];
    }
    const Figures expected = exact({map});
    adtr::PixelHistogram pixels = histogram_of({map}, 4);
    REQUIRE(pixels.bins().size() == 4);
    for (const Checked& figure : figures(pixels, expected)) {
      INFO(figure.name << " " << figure.found.value << " ± " << figure.found.bound << ", exactly " << figure.exact);
      CHECK(figure.found.bound > 0.0);
      CHECK(std::abs(figure.found.value - figure.exact) <= figure.found.bound + rounding);
    }
  } while (std::ranges::next_permutation(order).found);

  const Maps many = maps_of(5, 60, kinds.at("random"));
  adtr::PixelHistogram fine = histogram_of(many, 1U << 12U);
  for (const Checked& figure : figures(fine, exact(many))) {
    INFO(figure.name << " ± " << figure.found.bound);
    CHECK(figure.found.bound < 5e-3);
  }
}

TEST_CASE("Pixel figures do not depend on the order of images, to the bit") {
  const Maps maps = maps_of(8, 12, kinds.at("random"));
  Maps backwards(maps.rbegin(), maps.rend());
  for (const std::size_t most : {300U, 1U << 14U}) {
    adtr::PixelHistogram a = histogram_of(maps, most), b = histogram_of(backwards, most);
    static_cast<void>(b.bins());  // also merges at another time
    CHECK(a.bins().size() == b.bins().size());
    CHECK(adtr::auroc(a).value == adtr::auroc(b).value);
    CHECK(adtr::average_precision(a).value == adtr::average_precision(b).value);
    CHECK(adtr::f1_max(a).threshold == adtr::f1_max(b).threshold);
    CHECK(adtr::aupro(a).value == adtr::aupro(b).value);
    CHECK(adtr::aupro(a).bound == adtr::aupro(b).bound);
  }
}

TEST_CASE("A threshold of F1-max gives the F1 that it promises") {
  const Maps maps = maps_of(4, 9, kinds.at("random"));
  adtr::PixelHistogram pixels = histogram_of(maps, 200);
  const adtr::BoundedF1 f1 = adtr::f1_max(pixels);
  double hits = 0, flagged = 0, defects = 0;
  for (const MapData& map : maps)
    for (std::size_t i = 0; i < map.scores.size(); ++i) {
      const bool above = static_cast<double>(map.scores[i]) >= f1.threshold;
      flagged += above ? 1 : 0;
      defects += map.mask[i] != 0 ? 1 : 0;
      hits += above && map.mask[i] != 0 ? 1 : 0;
    }
  CHECK(f1.bound > 0.0);
  CHECK(f1.value == Approx(2 * hits / (flagged + defects)).epsilon(1e-14));
}

TEST_CASE("The memory of a histogram does not grow with the images") {
  Lcg lcg{9};
  std::vector<float> scores(64 * 64);
  const auto taken = [&](adtr::PixelHistogram& pixels, int images) {
    const std::size_t before = support::allocated_bytes();
    for (int image = 0; image < images; ++image) {
      for (float& score : scores) score = static_cast<float>(lcg.next() * lcg.next() * 10);
      pixels.add(scores, {}, 64, 64);
    }
    CHECK(pixels.bins().size() <= 1U << 15U);
    return support::allocated_bytes() - before;
  };
  adtr::PixelHistogram pixels(1U << 15U);
  const std::size_t ten = taken(pixels, 10), thousand = taken(pixels, 1000);
  CHECK(ten > 0);
  CHECK(ten + thousand < (std::size_t{3} << 15U) * 40);
  CHECK(taken(pixels, 1000) == 0);
}

TEST_CASE("Quantiles of a score histogram are those of the scores") {
  Lcg lcg{6};
  std::vector<float> scores;
  for (int i = 0; i < 5000; ++i) scores.push_back(static_cast<float>(lcg.next() * 4 - 1));
  std::vector<float> sorted = scores;
  std::ranges::sort(sorted);
  adtr::ScoreHistogram all, few(500);
  CHECK(all.empty());
  CHECK(all.finite());
  CHECK_THROWS_AS(all.quantile(0.5), adtr::Error);
  for (const float score : scores) {
    all.add(score);
    few.add(score);
  }
  CHECK(all.size() == 5000);
  for (const double q : {0.0, 0.25, 0.5, 0.95, 0.99, 0.995, 1.0}) {
    const float expected = sorted[static_cast<std::size_t>(std::llround(q * 4999))];
    CHECK(all.quantile(q) == expected);
    CHECK(few.quantile(q) == Approx(expected).epsilon(1.0 / 16).margin(0.01));
  }
  CHECK_THROWS_AS(all.quantile(1.5), adtr::Error);
  CHECK_THROWS_AS(all.add(std::numeric_limits<float>::quiet_NaN()), adtr::Error);
  CHECK(all.finite());
  all.add(-inf);
  CHECK_FALSE(all.finite());
  CHECK(all.quantile(0.0) == -inf);
}

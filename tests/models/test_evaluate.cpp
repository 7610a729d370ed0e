/// Evaluations: labels, unreadable files, figures, memory.
#include "adtr/evaluate.hpp"

#include <unistd.h>

#include <fstream>
#include <functional>
#include <limits>
#include <set>

#include "adtr/core/random.hpp"
#include "metrics/exact_aupro.hpp"
#include "support/allocations.hpp"
#include "support/catch.hpp"

namespace {

using adtr::ErrorCode;
using adtr::Index;
using adtr::Sample;
namespace fs = std::filesystem;

constexpr Index map_side = 32;

/// Has the interface of a detector. Its map is a third of the image's red channel, so that scores are not round
/// numbers.
struct RedDetector {
  adtr::ModelDescription model;
  adtr::Image last;
  int detections = 0;
  std::function<double(double)> distort = [](double score) { return score; };

  RedDetector() { model.image_size = map_side; }
  [[nodiscard]] const adtr::ModelDescription& description() const { return model; }
  [[nodiscard]] const adtr::Image& resized() const { return last; }
  void detect(const adtr::ImageView& view, adtr::Detection& d) {
    ++detections;
    d.map.resize({map_side, map_side});
    double highest = 0.0;
    for (Index y = 0; y < map_side; ++y)
      for (Index x = 0; x < map_side; ++x) {
        const double red = view.row(y % view.height)[3 * (x % view.width)] / 3.0;
        highest = std::max(highest, red);
        d.map(static_cast<std::size_t>(y), static_cast<std::size_t>(x)) = static_cast<float>(red);
      }
    d.score = distort(highest);
  }
};

/// A data set in a folder that is removed with it. Images have map_side² pixels, so that masks keep their size.
struct DataSet {
  fs::path folder = fs::temp_directory_path() / ("adtr_evaluate_" + std::to_string(getpid()));
  std::vector<Sample> samples;
  std::uint64_t seed = 0;

  DataSet() { fs::create_directories(folder); }
  DataSet(const DataSet&) = delete;
  DataSet& operator=(const DataSet&) = delete;
  ~DataSet() { fs::remove_all(folder); }

  /// `bright_side`: side of a square that is brighter than the rest, and a defect in the sample's mask, if it has one.
  Sample& add(bool defective, bool with_mask, Index bright_side, Index mask_side = map_side) {
    const std::string name = std::to_string(samples.size());
    adtr::Image image(map_side, map_side);
    adtr::Mask mask(mask_side, mask_side);
    adtr::RandomStream random(++seed, 4);
    for (Index y = 0; y < map_side; ++y)
      for (Index x = 0; x < map_side; ++x) {
        const bool bright = y < bright_side && x < bright_side;
        for (Index c = 0; c < 3; ++c)
          image.row(y)[3 * x + c] = static_cast<std::uint8_t>(random.below(150) + (bright ? 100U : 0U));
        if (bright && y < mask_side && x < mask_side) mask.data[static_cast<std::size_t>(y * mask_side + x)] = 255;
      }
    Sample sample;
    sample.path = folder / (name + ".png");
    sample.kind = defective ? "hole" : "good";
    sample.defective = defective;
    adtr::write_png(sample.path, image);
    if (with_mask) {
      sample.mask = folder / (name + "_mask.png");
      adtr::write_png(*sample.mask, mask);
    }
    samples.push_back(sample);
    return samples.back();
  }
  /// Three good images and three with a hole and its mask.
  void add_usual() {
    for (int i = 0; i < 3; ++i) {
      add(false, false, 0);
      add(true, true, 3 + i);
    }
  }
};

adtr::Evaluation measure(
    RedDetector& detector, const std::vector<Sample>& samples,
    const std::function<void(const adtr::EvaluatedImage&)>& on_image = [](const auto&) {}) {
  adtr::SampleSet set(samples);
  set.allow = true;
  return adtr::evaluate(detector, set, on_image);
}

bool same_figures(const adtr::Evaluation& a, const adtr::Evaluation& b) {
  const auto same = [](const adtr::Figure& x, const adtr::Figure& y) { return x.key == y.key && x.value == y.value; };
  return std::ranges::equal(a.figures, b.figures, same) && a.images_good == b.images_good &&
         a.images_defective == b.images_defective && a.pixel_images == b.pixel_images;
}

bool says(const adtr::Evaluation& e, const std::string& words) {
  return std::any_of(e.reasons.begin(), e.reasons.end(),
                     [&](const std::string& reason) { return reason.find(words) != std::string::npos; });
}

void overwrite(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("The figures of an evaluation are exact, and its colour scale is that of its images") {
  DataSet set;
  set.add_usual();
  RedDetector detector;
  std::vector<double> scores;
  std::vector<std::uint8_t> labels, pixel_labels;
  std::vector<float> pixel_scores, good, defective;
  ExactAupro pro;
  const adtr::Evaluation e = measure(detector, set.samples, [&](const adtr::EvaluatedImage& image) {
    const std::span<const float> map(image.detection.map.data(), image.detection.map.size());
    scores.push_back(image.detection.score);
    labels.push_back(image.defective ? 1 : 0);
    pixel_scores.insert(pixel_scores.end(), map.begin(), map.end());
    std::vector<std::uint8_t> truth(map.size(), 0);
    if (image.mask != nullptr) truth = image.mask->data;
    pixel_labels.insert(pixel_labels.end(), truth.begin(), truth.end());
    pro.add(map, truth, map_side, map_side);
    for (std::size_t i = 0; i < map.size(); i += 16) (image.defective ? defective : good).push_back(map[i]);
  });
  CHECK(e.value("image_auroc") == adtr::auroc(scores, labels));
  CHECK(e.value("image_ap") == adtr::average_precision(scores, labels));
  CHECK(e.value("image_f1_max") == adtr::f1_max(scores, labels).value);
  CHECK(e.value("pixel_auroc") == adtr::auroc(pixel_scores, pixel_labels));
  CHECK(*e.value("pixel_ap") == Approx(adtr::average_precision(pixel_scores, pixel_labels)).epsilon(1e-13));
  CHECK(e.value("pixel_f1_max") == adtr::f1_max(pixel_scores, pixel_labels).value);
  CHECK(*e.value("aupro") == Approx(pro.value()).epsilon(1e-13));
  CHECK(e.pixel_bound == 0.0);
  CHECK((e.images_good == 3 && e.images_defective == 3 && e.pixel_images == 6));
  CHECK((e.unreadable.empty() && e.reasons.empty() && e.turned == 0 && e.soft_masks == 0));
  const adtr::HeatScale scale = adtr::heat_scale(good, defective);
  REQUIRE(e.scale);
  CHECK((e.scale->low == scale.low && e.scale->high == scale.high));
}

TEST_CASE("A user's metrics are computed as the library's are") {
  DataSet set;
  set.add_usual();
  RedDetector detector;
  adtr::SampleSet samples(set.samples);
  adtr::MetricList metrics = adtr::default_metrics();
  metrics.image.insert(metrics.image.begin(), {"spread", "spread of the scores", [](const adtr::Ranking<double>& r) {
                                                 return r.positives().front() - r.negatives().back();
                                               }});
  metrics.image.push_back({"none", "never a number", [](const auto&) { return std::nan(""); }});
  metrics.pixel.push_back({"defect_share", "share of defect pixels", [](adtr::PixelHistogram& p) {
                             const double all = static_cast<double>(p.normal_pixels() + p.defect_pixels());
                             return adtr::Bounded{static_cast<double>(p.defect_pixels()) / all, 0.25};
                           }});
  double highest_defective = 0.0, lowest_good = 1e9;
  std::size_t marked = 0, pixels = 0;
  const auto on_image = [&](const adtr::EvaluatedImage& image) {
    if (image.defective) highest_defective = std::max(highest_defective, image.detection.score);
    if (!image.defective) lowest_good = std::min(lowest_good, image.detection.score);
    pixels += image.detection.map.size();
    if (image.mask != nullptr)
      for (const std::uint8_t pixel : image.mask->data) marked += pixel != 0 ? 1 : 0;
  };
  const adtr::Evaluation e = adtr::evaluate(detector, samples, on_image, metrics);
  CHECK(e.figures.size() == 10);
  CHECK((e.figures.front().key == "spread" && !e.figures.front().of_pixels));
  CHECK((e.figures.back().title == "share of defect pixels" && e.figures.back().of_pixels));
  CHECK(e.value("spread") == highest_defective - lowest_good);
  CHECK(e.value("defect_share") == static_cast<double>(marked) / static_cast<double>(pixels));
  CHECK_FALSE(e.value("none"));
  CHECK(e.pixel_bound == 0.25);
  const adtr::Evaluation without = measure(detector, set.samples);
  for (const adtr::Figure& figure : without.figures) CHECK(e.value(figure.key) == figure.value);
}

TEST_CASE("A list of metrics that cannot be told apart, and a metric that was not computed, are refused") {
  DataSet set;
  set.add_usual();
  RedDetector detector;
  const auto said = [&](const adtr::MetricList& metrics, const std::string& words) {
    adtr::SampleSet samples(set.samples);
    try {
      static_cast<void>(adtr::evaluate(
          detector, samples, [](const auto&) {}, metrics));
      FAIL("expected an Error");
    } catch (const adtr::Error& error) {
      CHECK(error.code() == ErrorCode::option);
      CHECK(std::string(error.what()).find(words) != std::string::npos);
    }
  };
  adtr::MetricList metrics = adtr::default_metrics();
  metrics.pixel.push_back({"image_ap", "twice", [](const auto&) { return adtr::Bounded{0.0, 0.0}; }});
  said(metrics, "expected one row image_ap, found two");
  metrics = {{{"", "no key", [](const auto&) { return 0.0; }}}, {}};
  said(metrics, "expected a key in each row");
  metrics = {{{"empty", "no function", nullptr}}, {}};
  said(metrics, "expected a function in the row empty");
  CHECK(detector.detections == 0);
  CHECK_THROWS_WITH(measure(detector, set.samples).value("aupr"), ContainsSubstring("pixel_f1_max, aupro, found aupr"));
}

TEST_CASE("The folder decides the label, and pixel figures leave out a mask that contradicts it") {
  DataSet set;
  set.add_usual();
  RedDetector detector;
  const adtr::Evaluation before = measure(detector, set.samples);
  set.add(true, true, 0);   // a mask without a defect
  set.add(false, true, 9);  // a mask with a defect on a good part
  std::vector<bool> defective;
  const adtr::Evaluation e = measure(detector, set.samples, [&](const adtr::EvaluatedImage& image) {
    defective.push_back(image.defective);
    CHECK(image.defective == image.sample.defective);
  });
  CHECK(defective == std::vector<bool>{false, true, false, true, false, true, true, false});
  CHECK((e.images_good == 4 && e.images_defective == 4 && e.pixel_images == 6));
  CHECK((e.value("pixel_auroc") == before.value("pixel_auroc") && e.value("pixel_ap") == before.value("pixel_ap") &&
         e.value("aupro") == before.value("aupro")));
  CHECK(e.value("image_auroc") != before.value("image_auroc"));
  CHECK(says(e, "pixel figures leave out 2 images whose mask contradicts the folder"));
}

TEST_CASE("Unreadable files are named and not judged, and all others are judged") {
  DataSet set;
  set.add_usual();
  RedDetector detector;
  const adtr::Evaluation before = measure(detector, set.samples);
  const std::vector<Sample> readable = set.samples;
  // Found by the header, by the structure, and only by decoding.
  overwrite(set.add(true, true, 5).path, "<html>not found</html>");
  const fs::path text = set.samples.back().path;
  const fs::path cut = set.add(false, false, 0).path;
  overwrite(cut, bytes_of(cut).substr(0, bytes_of(cut).size() / 2));
  const fs::path damaged = set.add(false, false, 0).path;
  std::string bytes = bytes_of(damaged);
  const std::size_t data = bytes.find("IDAT") + 4;
  for (std::size_t i = data + 2; i < data + 40; ++i) bytes[i] = '\xFF';
  overwrite(damaged, bytes);
  const fs::path missing = set.add(true, true, 5).path;
  fs::remove(missing);
  std::rotate(set.samples.begin(), set.samples.begin() + 7, set.samples.end());  // not all at the end

  detector.detections = 0;
  std::set<fs::path> judged;
  const adtr::Evaluation e =
      measure(detector, set.samples, [&](const adtr::EvaluatedImage& image) { judged.insert(image.sample.path); });
  CHECK(same_figures(e, before));
  CHECK(judged.size() == readable.size());
  CHECK(detector.detections == static_cast<int>(readable.size()));
  std::set<fs::path> unreadable;
  for (const adtr::UnreadableFile& file : e.unreadable) {
    unreadable.insert(file.path);
    CHECK(file.sentence.find(file.path.string() + ": ") == 0);
  }
  CHECK(unreadable == std::set<fs::path>{text, cut, damaged, missing});
  CHECK(e.unreadable.size() == 4);
  CHECK(says(e, "all figures are from 6 of 10 images"));

  const adtr::Evaluation none = measure(detector, {set.samples[0]});
  CHECK((none.images_good == 0 && none.images_defective == 0 && !none.scale));
  CHECK(none.unreadable.size() + static_cast<std::size_t>(none.images_good + none.images_defective) == 1);
}

TEST_CASE("An image with an unreadable mask counts only in the image figures") {
  DataSet set;
  set.add_usual();
  RedDetector detector;
  const adtr::Evaluation before = measure(detector, set.samples);
  const fs::path mask = *set.add(true, true, 6).mask;
  overwrite(mask, "not a mask");
  const adtr::Evaluation e = measure(detector, set.samples);
  REQUIRE(e.unreadable.size() == 1);
  CHECK(e.unreadable[0].path == mask);
  CHECK((e.images_defective == 4 && e.pixel_images == 6));
  CHECK((e.value("pixel_auroc") == before.value("pixel_auroc") && e.value("aupro") == before.value("aupro")));
  CHECK(says(e, "pixel figures leave out 1 image whose mask cannot be read"));
}

TEST_CASE("A mask of another size than its image ends an evaluation before any image is scored") {
  DataSet set;
  set.add_usual();
  set.add(true, true, 5, map_side / 2);
  RedDetector detector;
  try {
    static_cast<void>(measure(detector, set.samples));
    FAIL("expected an Error");
  } catch (const adtr::Error& error) {
    CHECK(error.code() == ErrorCode::shape);
    CHECK(std::string(error.what()).find(set.samples.back().mask->string() + ": ") == 0);
    CHECK(std::string(error.what()).find(set.samples.back().path.string()) != std::string::npos);
  }
  CHECK(detector.detections == 0);
}

TEST_CASE("A score that is not finite ends an evaluation with an error that names the image") {
  DataSet set;
  set.add_usual();
  for (const double value : {std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity()}) {
    RedDetector detector;
    detector.distort = [&](double score) { return detector.detections == 4 ? value : score; };
    try {
      static_cast<void>(measure(detector, set.samples));
      FAIL("expected an Error");
    } catch (const adtr::Error& error) {
      CHECK(error.code() == ErrorCode::bad_weights);
      CHECK(std::string(error.what()).find(set.samples[3].path.string() + ": ") == 0);
    }
  }
}

TEST_CASE("An evaluation says which figures are missing and why") {
  DataSet set;
  set.add(false, false, 0);
  RedDetector detector;
  adtr::Evaluation e = measure(detector, set.samples);
  CHECK(says(e, "image figures need defective images; the test set has none"));
  CHECK(says(e, "pixel figures need masks with defects; the test set has none"));
  set.add(true, true, 4);
  set.add(true, false, 4);
  e = measure(detector, set.samples);
  CHECK(e.value("image_auroc"));
  CHECK_FALSE(e.value("pixel_auroc"));
  CHECK(says(e, "1 of 2 have none"));
  CHECK(measure(detector, {}).images_good == 0);

  // A defect that is smaller than a pixel of the map.
  DataSet large;
  large.add(false, false, 0);
  large.add(true, true, 4);
  const adtr::Image image(4 * map_side, 4 * map_side);
  adtr::Mask mask(4 * map_side, 4 * map_side);
  mask.data[0] = 255;
  Sample& small = large.add(true, true, 4);
  adtr::write_png(small.path, image);
  adtr::write_png(*small.mask, mask);
  CHECK(says(measure(detector, large.samples), "miss the defects of 1 image, which are smaller than a pixel"));
}

TEST_CASE("The memory of an evaluation does not grow with its maps") {
  std::vector<Sample> samples;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    auto image = std::make_shared<adtr::Image>(4, 4);
    adtr::RandomStream random(i, 2);
    for (std::uint8_t& byte : image->data) byte = static_cast<std::uint8_t>(random.below(256));
    Sample sample;
    sample.path = std::to_string(i);
    sample.kind = "good";
    sample.image = image;
    samples.push_back(sample);
  }
  const auto taken = [&](std::size_t count) {
    RedDetector detector;
    adtr::SampleSet set(std::vector<Sample>(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(count)));
    const std::size_t before = support::allocated_bytes();
    static_cast<void>(adtr::evaluate(detector, set, [](const adtr::EvaluatedImage&) {}));
    return support::allocated_bytes() - before;
  };
  const std::size_t few = taken(500), many = taken(2000);
  // A map has 4,096 bytes. Most of the counted bytes are images, which are freed at once.
  CHECK((many - few) / 1500 < 400);
}

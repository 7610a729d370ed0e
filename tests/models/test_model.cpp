// A model in a file is the model in memory; batches and backends agree; detection allocates nothing; detectors share
// weights and threads, also the user's own.
#include "models/small_model.hpp"

#include <fstream>
#include <iterator>
#include <latch>
#include <thread>

#include "adtr/backend/eigen.hpp"
#include "adtr/backend/reference.hpp"
#include "models/user_executor.hpp"
#include "support/allocations.hpp"
#include "support/threads.hpp"

using small_model::Net;
using small_model::Networks;
using CpuDetector = adtr::Detector<adtr::Cpu, Networks>;

namespace {

/// The exact result of a detector for an image.
std::vector<double> bits(CpuDetector& detector, const adtr::Image& image) {
  const adtr::Detection d = detector.detect(image);
  std::vector<double> all(d.map.begin(), d.map.end());
  all.push_back(d.score);
  return all;
}

/// Runs loops on the calling thread from their end.
struct Backwards final : adtr::Executor {
  int loops = 0;
  [[nodiscard]] int threads() const override { return 5; }
  void parallel_for(adtr::Index count, void (*call)(void*, adtr::Index), void* function) override {
    ++loops;
    for (adtr::Index i = count; i-- > 0;) call(function, i);
  }
};

std::string text_of(const std::string& file) {
  std::ifstream in(ADTR_SOURCE_DIR "/" + file);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("A saved and loaded model scores bit for bit like the one in memory") {
  const small_model::File file;
  const small_model::Parameters parameters;
  const adtr::Cpu::Context context(1);
  adtr::Model<Net, adtr::Cpu> loaded(adtr::load_weights(file.path), context);
  adtr::Model<Net, adtr::Cpu> made(
      context, {context, parameters.backbone, adtr::Padding::same, adtr::Pooling::bilinear}, parameters.tensors);
  adtr::Preprocessor<float> preprocess(32, small_model::description().numerics);
  std::vector<float> input(32 * 32 * 3), a(64), b(64);
  preprocess(small_model::picture(), input.data());
  loaded.position_scores({input.data(), 1, 32, 32, 3}, a);
  made.position_scores({input.data(), 1, 32, 32, 3}, b);
  CHECK(a == b);
  CHECK(*std::max_element(a.begin(), a.end()) > 0.0F);
}

TEST_CASE("The extractor pools its taps as it is told") {
  using Backbone = Net::Backbone;
  const small_model::Parameters parameters;
  const adtr::Cpu::Context context(1);
  std::vector<float> input(32 * 32 * 3), features(static_cast<std::size_t>(Net::Features::size)), slice(features);
  adtr::Preprocessor<float>(32, small_model::description().numerics)(small_model::picture(), input.data());
  const adtr::MapView<const float> image(input.data(), 1, 32, 32, 3);
  const auto out = adtr::map_view<Net::Features>(features.data(), 1);
  for (const auto pooling : {adtr::Pooling::bilinear, adtr::Pooling::area}) {
    adtr::FeatureExtractor<Net, adtr::Cpu> extractor(context, parameters.backbone, adtr::Padding::same, pooling);
    extractor.share().extract(image, out);
    adtr::Index channel = 0;
    extractor.visit_taps(image, [&](std::size_t, adtr::MapView<const float> tap) {
      const adtr::MapView<float> expected(slice.data(), 1, 8, 8, tap.channels);
      (pooling == adtr::Pooling::area ? adtr::Cpu::resize_area : adtr::Cpu::resize)(context, tap, expected);
      for (adtr::Index u = 0; u < 64; ++u)
        for (adtr::Index c = 0; c < tap.channels; ++c)
          REQUIRE(out.matrix().row(u)[channel + c] == expected.matrix().row(u)[c]);
      channel += tap.channels;
    });
    CHECK(channel == Backbone::channels);
  }
}

TEST_CASE("A description reads back from a file unchanged, and errors name what does not fit") {
  const small_model::File file;
  const auto d = adtr::read_description(adtr::load_weights(file.path));
  const auto expected = small_model::description();
  CHECK(d.architecture == expected.architecture);
  CHECK((d.image_size == 32 && d.grid == 8));
  CHECK(d.numerics.padding == adtr::Padding::same);
  CHECK((d.numerics.mean == expected.numerics.mean && d.numerics.std == expected.numerics.std));
  CHECK(d.pooling == adtr::Pooling::bilinear);
  CHECK(d.scoring == adtr::Scoring::taps);
  CHECK(d.threshold == expected.threshold);
  CHECK((d.colour_low == expected.colour_low && d.colour_high == 2.0));
  CHECK(d.notes == expected.notes);

  REQUIRE_THROWS_WITH(
      (adtr::Detector<adtr::Cpu, adtr::Networks<adtr::Network<adtr::Architecture::resnet18, 32, 8>>>::load(file.path,
                                                                                                           1)),
      ContainsSubstring(file.path) && ContainsSubstring("efficientnet_lite0 32/8"));
  REQUIRE_THROWS_WITH(adtr::parse_architecture("efficientnet_b9"), ContainsSubstring("efficientnet_b9"));
  CHECK(adtr::parse_architecture("tf_efficientnet_b4").numerics.bn_eps == 1e-3);
  CHECK(adtr::parse_architecture("efficientnet_b4").numerics.padding == adtr::Padding::symmetric);
}

TEST_CASE("An image scores the same alone and in a batch, and for any number of threads") {
  const small_model::File file;
  const auto weights = adtr::load_weights(file.path);
  adtr::Preprocessor<float> preprocess(32, small_model::description().numerics);
  constexpr adtr::Index images = 3;
  std::vector<float> input(images * 32 * 32 * 3), together(images * 64), alone(images * 64);
  for (adtr::Index i = 0; i < images; ++i)
    preprocess(small_model::picture(40, 50, static_cast<std::uint64_t>(i)), input.data() + i * 32 * 32 * 3);
  const int threads_of_batch = GENERATE(1, 4, 7);  // in groups of one; of two and one; of three
  adtr::Model<Net, adtr::Cpu> batch(weights, support::context<adtr::Cpu>(threads_of_batch), images);
  batch.position_scores({input.data(), images, 32, 32, 3}, together);
  for (const int threads : {1, 2, 3}) {
    adtr::Model<Net, adtr::Cpu> one(weights, support::context<adtr::Cpu>(threads));
    for (adtr::Index i = 0; i < images; ++i)
      one.position_scores({input.data() + i * 32 * 32 * 3, 1, 32, 32, 3},
                          std::span(alone).subspan(static_cast<std::size_t>(i) * 64, 64));
    CHECK(alone == together);
  }
}

TEST_CASE("Every backend detects alike") {
  const small_model::File file;
  const auto image = small_model::picture();
  auto reference = adtr::Detector<adtr::Reference<double>, Networks>::load(file.path);
  const auto expected = reference.detect(image);
  const auto compare = [&](auto detector) {
    const adtr::Detection d = detector.detect(image);
    CHECK(d.score == Approx(expected.score).epsilon(1e-3));
    CHECK(d.verdict == (expected.score >= *expected.threshold ? adtr::Verdict::anomalous : adtr::Verdict::good));
    double worst = 0.0, largest = 0.0;
    for (std::size_t i = 0; i < d.map.size(); ++i) {
      worst =
          std::max(worst, std::abs(static_cast<double>(d.map.data()[i]) - static_cast<double>(expected.map.data()[i])));
      largest = std::max(largest, static_cast<double>(expected.map.data()[i]));
    }
    CHECK(worst < 2e-4 * largest);
  };
  compare(CpuDetector::load(file.path));
#ifndef ADTR_SANITIZED  // their operations are under sanitizers in tests/backend; the model's memory is the same
  compare(adtr::Detector<adtr::EigenBackend, Networks>::load(file.path));
  compare(adtr::Detector<adtr::Reference<float>, Networks>::load(file.path));
#endif
}

TEST_CASE("detect() allocates nothing after the first image of a size") {
  const small_model::File file;
  const int threads = GENERATE(1, 2);
  auto detector = CpuDetector::load(file.path, support::context<adtr::Cpu>(threads));
  const auto image = small_model::picture(), other = small_model::picture(40, 50, 2);
  adtr::Detection d;
  detector.detect(image, d);
  const double first = d.score;
  const std::size_t before = support::allocations();
  detector.detect(other, d);
  detector.detect(image, d);
  const std::size_t after = support::allocations();
  CHECK(after == before);
  CHECK(d.score == first);
  const adtr::Buffer<float> large(1 << 20);
  CHECK(support::allocations() > after);  // the count sees buffers of every size
}

TEST_CASE("An image of one pixel and one of 20,000×1 are images") {
  const small_model::File file;
  auto detector = CpuDetector::load(file.path, 1);
  CHECK(std::isfinite(detector.detect(small_model::picture(1, 1)).score));
  CHECK(std::isfinite(detector.detect(small_model::picture(20000, 1)).score));
}

TEST_CASE("Any executor gives the same bits") {
  const small_model::File file;
  const auto image = small_model::picture();
  auto one = CpuDetector::load(file.path, 1);
  const auto expected = bits(one, image);

  const auto backwards = std::make_shared<Backwards>();
  auto first = CpuDetector::load(file.path, adtr::Cpu::Context(backwards));
  const int loops = backwards->loops;
  CHECK(loops > 0);  // also for packing
  CHECK(bits(first, image) == expected);
  CHECK(backwards->loops > loops);

  UserPool pool(3);
  auto second = CpuDetector::load(file.path, adtr::Cpu::Context(std::make_shared<PoolExecutor>(pool)));
  CHECK(bits(second, image) == expected);
  CHECK(bits(second, image) == expected);
}

TEST_CASE("The executor in docs/getting_started.md is the one tested here") {
  const std::string source = text_of("tests/models/user_executor.hpp");
  const auto begin = source.find("struct PoolExecutor"), end = source.find("// to here.");
  REQUIRE((begin != std::string::npos && end != std::string::npos));
  CHECK(text_of("docs/getting_started.md").find(source.substr(begin, end - begin)) != std::string::npos);
}

TEST_CASE("Detectors that share a model give its bits from several threads, and share its weights") {
  const small_model::File file;
  const auto before = support::allocated_bytes();
  auto detector = std::make_unique<CpuDetector>(CpuDetector::load(file.path, support::context<adtr::Cpu>(2)));
  const auto loading = support::allocated_bytes() - before;
  detector->set_threshold(0.25);
  std::vector<adtr::Image> images;
  std::vector<std::vector<double>> expected;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    images.push_back(small_model::picture(40, 50, seed));
    expected.push_back(bits(*detector, images.back()));
  }

  const auto shared_from = support::allocated_bytes();
  CpuDetector other = std::as_const(*detector).share();
  CHECK(support::allocated_bytes() - shared_from < loading / 10);
  CHECK(other.description().threshold == 0.25);

  std::array<int, 2> wrong{};
  std::latch both(2);
  const auto detect = [&](CpuDetector& own, int& count) {
    both.arrive_and_wait();
    for (int round = 0; round < 3; ++round)
      for (std::size_t i = 0; i < images.size(); ++i) count += bits(own, images[i]) == expected[i] ? 0 : 1;
  };
  std::thread thread([&] { detect(other, wrong[1]); });
  detect(*detector, wrong[0]);
  thread.join();
  CHECK(wrong == std::array<int, 2>{});

  detector.reset();  // the weights outlive the detector
  CHECK(bits(other, images[0]) == expected[0]);
}

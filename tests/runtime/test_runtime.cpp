/// The compiled library gives what the headers give: the same bits, the same files, the same errors.
#include "adtr/runtime.hpp"

#include <bit>
#include <cstddef>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "adtr/evaluate.hpp"
#include "train/run.hpp"

namespace runtime = adtr::runtime;
using Networks = adtr::Networks<adtr::Network<adtr::Architecture::efficientnet_lite0, 32, 8>>;
using HeaderDetector = adtr::Detector<adtr::Cpu, Networks>;

namespace {

std::vector<char> bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A folder with MVTec's layout, a backbone's weights and a model that the library trained.
struct Trained {
  small_run::Folder folder;
  std::string data = folder.file("data"), model = folder.file("model");
  runtime::TrainingRequest request;
  runtime::TrainingResult result;

  Trained() {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) write("train/good", seed);
    for (std::uint64_t seed = 11; seed <= 13; ++seed) write("test/good", seed);
    for (std::uint64_t seed = 21; seed <= 23; ++seed) write("test/bad", seed);
    adtr::Mask mask(24, 24);
    for (adtr::Index i = 0; i < 80; ++i) mask.data[static_cast<std::size_t>(24 * 8 + i)] = 255;
    for (const char* stem : {"21", "22", "23"}) {
      adtr::Image grey = adtr::to_image(mask);
      write_image("ground_truth/bad", std::string(stem) + "_mask", grey);
    }
    request.good = data;
    request.weights = folder.file("weights");
    request.out = model;
    request.image_size = 32;
    request.grid = 8;
    request.options.epochs = 2;
    request.options.batch = 2;
    request.hold_out = 0.3;
    request.threads = 1;
    result = runtime::train(request);
  }

  void write(const std::string& kind, std::uint64_t seed) const {
    write_image(kind, std::to_string(seed), small_model::picture(24, 24, seed));
  }
  void write_image(const std::string& kind, const std::string& stem, const adtr::Image& image) const {
    const std::filesystem::path parent = std::filesystem::path(data) / kind;
    std::filesystem::create_directories(parent);
    adtr::write_png(parent / (stem + ".png"), image);
  }

  static const Trained& once() {
    static const Trained trained;
    return trained;
  }
};

void check_same(const runtime::Detection& found, const adtr::Detection& expected) {
  CHECK(std::bit_cast<std::uint64_t>(found.score) == std::bit_cast<std::uint64_t>(expected.score));
  CHECK(found.threshold == expected.threshold);
  CHECK(found.verdict == expected.verdict);
  REQUIRE(found.side == 32);
  REQUIRE(found.map.size() == expected.map.size());
  CHECK(std::equal(found.map.begin(), found.map.end(), expected.map.data(), [](float a, float b) {
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
  }));
}

/// Calls both and compares their Errors.
template <class A, class B>
void check_same_error(A&& compiled, B&& headers) {
  std::string sentence;
  adtr::ErrorCode code{};
  try {
    headers();
    FAIL("expected an Error of the headers");
  } catch (const adtr::Error& error) {
    sentence = error.what();
    code = error.code();
  }
  try {
    compiled();
    FAIL("expected an Error of the library: " << sentence);
  } catch (const adtr::Error& error) {
    CHECK(error.what() == sentence);
    CHECK(error.code() == code);
  }
}

}  // namespace

TEST_CASE("the library trains the same model as the headers, with the same defaults") {
  const Trained& trained = Trained::once();
  adtr::TrainingRequest request;
  CHECK(runtime::TrainingRequest{}.cache_memory == request.cache_memory);
  CHECK(runtime::TrainingRequest{}.checkpoint_seconds == request.checkpoint_seconds);
  CHECK(runtime::TrainingRequest{}.image_size == request.image_size);
  CHECK(runtime::TrainingRequest{}.grid == request.grid);
  request.good = adtr::scan_training(trained.data);
  request.weights = trained.request.weights;
  request.out = trained.folder.file("by_headers");
  request.image_size = 32;
  request.grid = 8;
  request.options.epochs = 2;
  request.options.batch = 2;
  request.hold_out = 0.3;
  request.threads = 1;
  const adtr::TrainingResult result = adtr::train_model<adtr::Cpu, Networks>(request);
  CHECK(bytes_of(trained.model) == bytes_of(request.out));
  CHECK(trained.result.losses == result.losses);
  REQUIRE(trained.result.threshold);
  CHECK(trained.result.threshold->value == result.threshold.value().value);
  CHECK(trained.result.threshold->upper_bound == result.threshold->upper_bound);
  CHECK(trained.result.held_out == result.held_out);
  CHECK(trained.result.model.architecture == "efficientnet_lite0");
  CHECK(trained.result.model.threshold == result.threshold->value);
}

TEST_CASE("scores and maps have the same bits, from a file, from memory and shared") {
  const Trained& trained = Trained::once();
  auto headers = HeaderDetector::load(trained.model, 1);
  auto from_file = runtime::Detector::load(trained.model, 2);
  const std::vector<char> file = bytes_of(trained.model);
  std::vector<std::byte> model(file.size() + 1);  // at an odd address
  std::memcpy(model.data() + 1, file.data(), file.size());
  auto from_memory = runtime::Detector::load_from_memory(std::span(model).subspan(1), 1);
  std::fill(model.begin(), model.end(), std::byte{0});  // nothing refers to them
  auto shared = from_file.share();
  const adtr::Image image = small_model::picture(40, 50, 3);
  std::vector<std::uint8_t> bgra(40 * 60 * 4);  // rows with padding
  for (std::size_t y = 0; y < 40; ++y)
    for (std::size_t x = 0; x < 50; ++x)
      for (std::size_t c = 0; c < 3; ++c) bgra[(y * 60 + x) * 4 + c] = image.data[(y * 50 + x) * 3 + 2 - c];
  const std::string path = trained.folder.file("picture.png");
  adtr::write_png(path, image);

  const adtr::Detection expected = headers.detect(image);
  check_same(from_file.detect(image), expected);
  check_same(from_memory.detect(image), expected);
  check_same(shared.detect(adtr::ImageView(bgra.data(), 40, 50, 4, 240, adtr::ChannelOrder::bgr)), expected);
  check_same(from_file.detect_file(path), expected);

  from_file.set_threshold(std::nullopt);
  CHECK(from_file.detect(image).verdict == adtr::Verdict::undecided);
  CHECK(shared.detect(image).verdict == expected.verdict);
  CHECK(from_file.summary().notes.size() == headers.description().notes.size());
}

TEST_CASE("an evaluation has the same figures") {
  const Trained& trained = Trained::once();
  auto headers = HeaderDetector::load(trained.model, 1);
  auto compiled = runtime::Detector::load(trained.model, 1);
  adtr::SampleSet set = adtr::scan_test(trained.data);
  std::vector<double> scores;
  const adtr::Evaluation expected =
      adtr::evaluate(headers, set, [&](const adtr::EvaluatedImage& image) { scores.push_back(image.detection.score); });
  std::size_t called = 0;
  const runtime::Evaluation found =
      runtime::evaluate(compiled, trained.data, false, [&](const runtime::EvaluatedImage& image) {
        REQUIRE(called < scores.size());
        CHECK(image.score == scores[called++]);
      });
  CHECK(called == 6);
  CHECK(found.images.size() == 6);
  CHECK(found.images_good == 3);
  CHECK(found.images_defective == 3);
  REQUIRE(found.value("image_auroc"));
  REQUIRE(found.value("aupro"));
  CHECK(found.figures.size() == expected.figures.size());
  for (const adtr::Figure& figure : expected.figures) CHECK(found.value(figure.key) == figure.value);
  CHECK_THROWS_AS(found.value("no such figure"), adtr::Error);
  CHECK(found.reasons == expected.reasons);
}

TEST_CASE("errors are the same sentences with the same codes") {
  const Trained& trained = Trained::once();
  const std::string missing = trained.folder.file("no_such_file");
  const auto load = [&](const std::string& path) {
    check_same_error([&] { static_cast<void>(runtime::Detector::load(path)); },
                     [&] { static_cast<void>(HeaderDetector::load(path)); });
  };
  load(missing);
  load(trained.request.weights);
  check_same_error([] { static_cast<void>(runtime::Detector().summary()); },
                   [] { static_cast<void>(HeaderDetector().description()); });
  check_same_error([] { static_cast<void>(runtime::Detector().share()); },
                   [] { static_cast<void>(HeaderDetector().share()); });
  auto compiled = runtime::Detector::load(trained.model);
  auto headers = HeaderDetector::load(trained.model);
  check_same_error([&] { static_cast<void>(compiled.detect_file(missing)); },
                   [&] { static_cast<void>(adtr::read_image(missing)); });
  check_same_error([&] { compiled.set_threshold(std::numeric_limits<double>::quiet_NaN()); },
                   [&] { headers.set_threshold(std::numeric_limits<double>::quiet_NaN()); });
  check_same_error([&] { static_cast<void>(runtime::evaluate(compiled, missing)); },
                   [&] { static_cast<void>(adtr::scan_test(missing)); });
  check_same_error([&] { static_cast<void>(runtime::train({})); }, [&] { static_cast<void>(adtr::scan_training("")); });

  const std::vector<std::byte> noise(100, std::byte{7});
  try {
    static_cast<void>(runtime::Detector::load_from_memory(noise, 1, "the model in flash"));
    FAIL("expected an Error");
  } catch (const adtr::Error& error) {
    CHECK(error.code() == adtr::ErrorCode::not_a_model);
    CHECK(std::string(error.what()).starts_with("the model in flash: "));
  }
}

TEST_CASE("a callback can stop a run, and its exceptions pass through the library") {
  const Trained& trained = Trained::once();
  struct Progress final : runtime::TrainingProgress {
    void on_features(adtr::Index done, adtr::Index images) override {
      CHECK(done <= images);
      features = done;
    }
    void on_epoch(const Epoch& e) override {
      if (e.loss && throws) throw std::out_of_range("mine");
    }
    bool cancelled() override { return cancels; }
    adtr::Index features = 0;
    bool throws = false, cancels = false;
  } progress;
  runtime::TrainingRequest request = trained.request;
  request.out = trained.folder.file("stopped");
  progress.throws = true;
  CHECK_THROWS_AS(runtime::train(request, progress), std::out_of_range);
  CHECK(progress.features > 0);
  progress.throws = false;
  progress.cancels = true;
  request.out = trained.folder.file("cancelled");
  try {
    runtime::train(request, progress);
    FAIL("expected an Error");
  } catch (const adtr::Error& error) {
    CHECK(error.code() == adtr::ErrorCode::cancelled);
  }
  auto detector = runtime::Detector::load(trained.model);
  CHECK_THROWS_AS(
      static_cast<void>(runtime::evaluate(detector, trained.data, false,
                                          [](const runtime::EvaluatedImage&) { throw std::out_of_range("mine"); })),
      std::out_of_range);
}

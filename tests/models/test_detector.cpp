/// The promises of a detector in addition to its scores: no verdict is good by default, it serves one thread at a time,
/// and an empty detector says so.
#include "models/small_model.hpp"

#include <chrono>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <thread>
#include <type_traits>

#include "models/user_executor.hpp"

using adtr::ErrorCode;
using adtr::Verdict;
using SmallDetector = adtr::Detector<adtr::Cpu, small_model::Networks>;

namespace {

template <class F>
ErrorCode code_of(F&& f) {
  try {
    f();
  } catch (const adtr::Error& error) {
    CHECK(std::string(error.what()).size() > 20);
    return error.code();
  }
  FAIL("expected an Error");
  return ErrorCode::other;
}

/// Runs loops like a user's thread pool, but holds the first loop while it is closed.
struct Gate final : adtr::Executor {
  explicit Gate(UserPool& pool) : inner(pool) {}
  [[nodiscard]] int threads() const override { return inner.threads(); }
  void parallel_for(adtr::Index count, void (*call)(void*, adtr::Index), void* function) override {
    {
      std::unique_lock lock(mutex);
      inside = true;
      changed.notify_all();
      changed.wait_for(lock, std::chrono::seconds(20), [this] { return open; });  // a limit, so that the test ends
    }
    inner.parallel_for(count, call, function);
  }
  void close() {
    const std::lock_guard lock(mutex);
    open = inside = false;
  }
  void wait_until_inside() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return inside; });
  }
  void let_go() {
    const std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
  }
  PoolExecutor inner;
  std::mutex mutex;
  std::condition_variable changed;
  bool open = true, inside = false;
};

/// A model file with a finite value that makes scores infinite or NaN.
struct BrokenFile {
  std::string path = (std::filesystem::temp_directory_path() / ("adtr_broken_" + std::to_string(getpid()))).string();
  explicit BrokenFile(bool in_statistics) {
    small_model::Parameters p;
    if (in_statistics)
      p.tensors.score_std[3] = 0.0F;
    else
      p.tensors.feature_mean[3] = 3e38F;  // its square is infinite
    adtr::save_model<small_model::Net, float>(path, p.tensors, p.backbone, small_model::description());
  }
  BrokenFile(const BrokenFile&) = delete;
  ~BrokenFile() { std::filesystem::remove(path); }
};

}  // namespace

TEST_CASE("A verdict is undecided until a threshold and a finite score decide") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  CHECK(adtr::Detection().verdict == Verdict::undecided);
  CHECK(adtr::verdict_of(1.0, std::nullopt) == Verdict::undecided);
  CHECK(adtr::verdict_of(1.0, 1.0) == Verdict::anomalous);
  CHECK(adtr::verdict_of(std::nextafter(1.0, 0.0), 1.0) == Verdict::good);
  CHECK(adtr::verdict_of(1.0, infinity) == Verdict::good);
  CHECK(adtr::verdict_of(1.0, -infinity) == Verdict::anomalous);
  for (const double score : {nan, infinity, -infinity})
    for (const double threshold : {1.0, infinity, -infinity, nan})
      CHECK(adtr::verdict_of(score, threshold) == Verdict::undecided);
  CHECK(adtr::verdict_of(1.0, nan) == Verdict::undecided);
  CHECK(name_of(Verdict::undecided) == "undecided");
  CHECK(name_of(Verdict::good) == "good");
  CHECK(name_of(Verdict::anomalous) == "anomalous");
}

TEST_CASE("A detector without a threshold calls no part good, and one with a threshold decides") {
  const small_model::File file;
  auto detector = SmallDetector::load(file.path, 1);
  const auto image = small_model::picture();
  detector.set_threshold(std::nullopt);
  const adtr::Detection open = detector.detect(image);
  CHECK(open.verdict == Verdict::undecided);
  CHECK_FALSE(open.threshold);
  detector.set_threshold(open.score);
  CHECK(detector.detect(image).verdict == Verdict::anomalous);
  detector.set_threshold(std::nextafter(open.score, 1e9));
  CHECK(detector.detect(image).verdict == Verdict::good);
  detector.set_threshold(std::numeric_limits<double>::infinity());
  CHECK(detector.detect(image).verdict == Verdict::good);
  detector.set_threshold(-std::numeric_limits<double>::infinity());
  CHECK(detector.detect(image).verdict == Verdict::anomalous);
  CHECK(code_of([&] { detector.set_threshold(std::numeric_limits<double>::quiet_NaN()); }) == ErrorCode::option);
  CHECK(detector.detect(image).verdict == Verdict::anomalous);  // as before
}

TEST_CASE("A model with scores that are not finite says so and passes nothing") {
  const BrokenFile file(GENERATE(false, true));
  auto detector = SmallDetector::load(file.path, 1);
  adtr::Detection d;
  d.verdict = Verdict::good;
  d.score = 0.0;
  d.threshold = 1.0;
  const auto image = small_model::picture();
  for (int round = 0; round < 2; ++round) {  // the second time it must not be "busy"
    CHECK(code_of([&] { detector.detect(image, d); }) == ErrorCode::bad_weights);
    CHECK(d.verdict == Verdict::undecided);
    CHECK(std::isnan(d.score));
    CHECK_FALSE(d.threshold);
  }
}

TEST_CASE("One detector in two threads at a time is refused, and the first one's result is right") {
  const small_model::File file;
  const auto image = small_model::picture(), other = small_model::picture(40, 50, 2);
  UserPool pool(2);
  const auto gate = std::make_shared<Gate>(pool);
  auto detector = SmallDetector::load(file.path, adtr::Cpu::Context(gate));
  const adtr::Detection expected = detector.detect(image);
  const adtr::Detection expected_of_other = detector.detect(other);

  gate->close();
  adtr::Detection first;
  std::thread thread([&] { detector.detect(image, first); });
  gate->wait_until_inside();
  adtr::Detection second = expected_of_other;
  CHECK(code_of([&] { detector.detect(other, second); }) == ErrorCode::busy);
  CHECK(second.verdict == Verdict::undecided);
  CHECK(code_of([&] { static_cast<void>(detector.detect(other)); }) == ErrorCode::busy);
  CHECK(code_of([&] { detector.set_threshold(1e9); }) == ErrorCode::busy);
  SmallDetector own = detector.share();  // may be called at any time
  gate->let_go();
  thread.join();
  CHECK(first.score == expected.score);
  CHECK((first.map == expected.map));
  CHECK(first.verdict == expected.verdict);

  CHECK(detector.detect(other).score == expected_of_other.score);  // free again
  CHECK(own.detect(other).score == expected_of_other.score);
}

TEST_CASE("A detector is a member like any other: empty, assigned, moved") {
  static_assert(std::is_nothrow_move_constructible_v<SmallDetector> &&
                std::is_nothrow_move_assignable_v<SmallDetector>);
  struct Line {
    SmallDetector detector;
  };
  const small_model::File file;
  const auto image = small_model::picture();
  Line line;
  adtr::Detection d;
  const auto refuses = [&](SmallDetector& empty) {
    CHECK_FALSE(empty.loaded());
    CHECK(code_of([&] { empty.detect(image, d); }) == ErrorCode::option);
    CHECK(code_of([&] { static_cast<void>(empty.detect(image)); }) == ErrorCode::option);
    CHECK(code_of([&] { static_cast<void>(empty.share()); }) == ErrorCode::option);
    CHECK(code_of([&] { static_cast<void>(empty.description()); }) == ErrorCode::option);
    CHECK(code_of([&] { static_cast<void>(empty.resized()); }) == ErrorCode::option);
    CHECK(code_of([&] { empty.set_threshold(1.0); }) == ErrorCode::option);
  };
  refuses(line.detector);
  line.detector = SmallDetector::load(file.path, 1);
  REQUIRE(line.detector.loaded());
  const double score = line.detector.detect(image).score;
  SmallDetector moved = std::move(line.detector);
  refuses(line.detector);
  CHECK(moved.detect(image).score == score);
  line.detector = moved.share();
  CHECK(line.detector.detect(image).score == score);
  CHECK(code_of([&] { SmallDetector(small_model::description(), nullptr); }) == ErrorCode::option);
}

TEST_CASE("A temporary image is accepted in every form of detect()") {
  const small_model::File file;
  auto detector = SmallDetector::load(file.path, 1);
  const auto image = small_model::picture();
  const double score = detector.detect(image).score;
  adtr::Detection d;
  detector.detect(small_model::picture(), d);
  CHECK(d.score == score);
  CHECK(detector.detect(small_model::picture()).score == score);
  CHECK(detector.detect(adtr::ImageView(image)).score == score);
  CHECK(detector.detect({image.data.data(), image.height, image.width}).score == score);
}

TEST_CASE("Loading reports a missing network and a threshold that is NaN with their codes") {
  const small_model::File file;
  using Other = adtr::Detector<adtr::Cpu, adtr::Networks<adtr::Network<adtr::Architecture::resnet18, 32, 8>>>;
  CHECK(code_of([&] { static_cast<void>(Other::load(file.path, 1)); }) == ErrorCode::no_such_network);
  CHECK(code_of([&] { static_cast<void>(SmallDetector::load(file.path + ".none", 1)); }) != ErrorCode::option);
  auto d = small_model::description();
  d.threshold = std::numeric_limits<double>::quiet_NaN();
  const small_model::Parameters p;
  adtr::save_model<small_model::Net, float>(file.path, p.tensors, p.backbone, d);
  try {
    static_cast<void>(SmallDetector::load(file.path, 1));
    FAIL("expected an Error");
  } catch (const adtr::Error& error) {
    CHECK(std::string(error.what()).find(file.path) == 0);
  }
}

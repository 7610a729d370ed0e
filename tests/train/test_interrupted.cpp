// An epoch that is stopped after any of its steps continues with the same bits and the same loss.
#include <filesystem>

#include "adtr/train/anomalies.hpp"
#include "adtr/train/checkpoint.hpp"
#include "train/small.hpp"

namespace {

using adtr::Index;
using small::tokens;
using Trainer = adtr::Trainer<small::Net, adtr::Cpu>;

/// Normal images, or with some of them replaced by anomalous ones.
struct Source {
  adtr::FeatureCache<float> normal{small::images, tokens, small::channels, 1 << 30};
  adtr::FeatureCache<float> defects{3, tokens, small::channels, 1 << 30};
  adtr::KnownAnomalies<float> known;
  adtr::ReplacingBatches<float> replacing;
  adtr::BatchSource<float>& batches;

  explicit Source(const adtr::TrainingOptions& o)
      : known(filled(defects), std::vector<std::uint8_t>(static_cast<std::size_t>(3 * tokens), 1)),
        replacing(filled(normal), {&known}, tokens * small::channels, o.anomaly_probability, o.seed),
        batches(o.loss == adtr::Loss::norm ? static_cast<adtr::BatchSource<float>&>(normal) : replacing) {}

 private:
  static adtr::FeatureCache<float>& filled(adtr::FeatureCache<float>& cache) {
    small::fill(cache, static_cast<std::uint64_t>(cache.images()));
    return cache;
  }
};

adtr::TrainingOptions interrupted_options(adtr::Loss loss) {
  auto o = small::options(0.2);  // 11 images in batches of 4: three steps per epoch, the last of them with three images
  o.epochs = 2;
  o.clip = 0.5;
  o.loss = loss;
  o.top_k = 5;
  return o;
}

Trainer trainer_of(Source& source, const adtr::TrainingOptions& o, int threads = 1) {
  Trainer trainer(adtr::Cpu::Context(threads), source.batches, o);
  auto p = trainer.parameters();
  adtr::initialise_identity<small::Net, float>(p, o.seed,
                                               adtr::PrincipalAxes::of<float>(source.normal.rows(), small::Net::C));
  return trainer;
}

std::vector<float> parameters_of(Trainer& trainer) {
  const auto all = trainer.state().parameters.span();
  return {all.begin(), all.end()};
}

struct File {
  std::string path =
      (std::filesystem::temp_directory_path() / ("adtr_interrupted_" + std::to_string(getpid()))).string();
  ~File() { std::filesystem::remove(path); }
};

}  // namespace

TEST_CASE("A run that is stopped after any step and saved continues with the same bits and reports the same losses") {
  const auto o = interrupted_options(GENERATE(adtr::Loss::norm, adtr::Loss::pixel, adtr::Loss::image));
  Source source(o);
  Trainer straight = trainer_of(source, o);
  while (straight.state().epoch < o.epochs) straight.run_epoch();
  REQUIRE(straight.state().losses.size() == 2);
  const File file;
  const adtr::RunIdentity identity = adtr::identity_of(o);
  for (Index stop_after = 1; stop_after <= 6; ++stop_after) {  // includes the last step of an epoch and of the run
    Trainer first = trainer_of(source, o);
    Index asked = 0, steps = 0;
    while (first.state().epoch < o.epochs && steps < stop_after) {
      const auto loss = first.run_epoch([&](Index) { ++steps; }, [&] { return ++asked, steps == stop_after; });
      CHECK(loss.has_value() == (steps % 3 == 0));
    }
    REQUIRE(steps == stop_after);
    CHECK(asked == stop_after - stop_after / 3);  // not after the last step of an epoch
    CHECK(first.state().epoch == stop_after / 3);
    CHECK(first.state().steps() == stop_after % 3);
    CHECK(first.images_done() == stop_after % 3 * 4);
    adtr::save_checkpoint(file.path, first.state(), identity);
    Trainer second = trainer_of(source, o, 2);
    adtr::load_checkpoint(file.path, identity, second.state());
    while (second.state().epoch < o.epochs) second.run_epoch();
    CHECK(parameters_of(second) == parameters_of(straight));
    CHECK(second.state().losses == straight.state().losses);
  }
}

TEST_CASE("After an exception between steps, the state has the finished steps") {
  const auto o = interrupted_options(adtr::Loss::norm);
  Source source(o);
  Trainer straight = trainer_of(source, o);
  while (straight.state().epoch < o.epochs) straight.run_epoch();
  struct Mine {};
  for (Index throw_after = 1; throw_after <= 3; ++throw_after) {
    Trainer trainer = trainer_of(source, o);
    Index steps = 0;
    CHECK_THROWS_AS(trainer.run_epoch([&](Index) {
      if (++steps == throw_after) throw Mine{};
    }),
                    Mine);
    CHECK(trainer.state_is_whole());
    CHECK(trainer.state().steps() ==
          throw_after);  // after the third step the epoch is not finished, but nothing is lost
    while (trainer.state().epoch < o.epochs) trainer.run_epoch();
    CHECK(parameters_of(trainer) == parameters_of(straight));
    CHECK(trainer.state().losses == straight.state().losses);
  }
  source.normal.rows().data[0] = std::numeric_limits<float>::infinity();
  Trainer diverging = trainer_of(source, o);
  try {
    diverging.run_epoch();
    FAIL("expected a divergence");
  } catch (const adtr::Error& e) {
    CHECK(e.code() == adtr::ErrorCode::training_diverged);
  }
  CHECK_FALSE(diverging.state_is_whole());
}

TEST_CASE("A checkpoint of an earlier version and a damaged one are refused with one sentence") {
  const auto o = interrupted_options(adtr::Loss::norm);
  Source source(o);
  Trainer trainer = trainer_of(source, o);
  trainer.run_epoch();
  const File file;
  const adtr::RunIdentity identity = adtr::identity_of(o);
  adtr::save_checkpoint(file.path, trainer.state(), identity);
  const auto metadata = adtr::SafetensorsFile::open(file.path).metadata();
  const auto rewritten = [&](std::map<std::string, std::string> changed, float parameter = 0.0F) {
    const auto n = static_cast<std::size_t>(trainer.state().parameters.size());
    const std::vector<float> zeros(n, parameter);
    const std::vector<double> losses{1.0};
    const std::vector<adtr::SafetensorsTensor> tensors{
        adtr::tensor_of<float>("parameters", {n}, zeros), adtr::tensor_of<float>("first_moment", {n}, zeros),
        adtr::tensor_of<float>("second_moment", {n}, zeros), adtr::tensor_of<double>("losses", {1}, losses)};
    adtr::write_safetensors(file.path, tensors, changed);
    try {
      adtr::load_checkpoint(file.path, identity, trainer.state());
    } catch (const adtr::Error& e) {
      CHECK(e.code() == adtr::ErrorCode::bad_weights);
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK(rewritten(metadata).empty());
  auto old = metadata;
  old.erase("format_version");
  CHECK_THAT(rewritten(old), ContainsSubstring("is a checkpoint of format version 1, which another version of adtr"));
  auto damaged = metadata;
  damaged["epoch"] = "2";
  CHECK_THAT(rewritten(damaged), ContainsSubstring("expected the losses of its 2 epochs, found 1"));
  auto foreign = metadata;
  foreign["format"] = "adtr";
  CHECK_THAT(rewritten(foreign), ContainsSubstring("is not a checkpoint"));
}

// Training reduces the loss, is the same on every backend and number of threads, and can be resumed.
#include "train/small.hpp"

#include <filesystem>

#include "adtr/backend/eigen.hpp"
#include "adtr/train/checkpoint.hpp"

using adtr::Index;
namespace fs = std::filesystem;

TEST_CASE("The loss falls, from both starts") {
  adtr::FeatureCache<float> cache(small::images, small::tokens, small::channels, 1 << 30);
  small::fill(cache);
  const bool identity = GENERATE(true, false);
  auto o = small::options();
  o.epochs = 12;
  adtr::Trainer<small::Net, adtr::Cpu> trainer(adtr::Cpu::Context(1), cache, o);
  auto p = trainer.parameters();
  if (identity)
    adtr::initialise_identity<small::Net, float>(p, 0, adtr::PrincipalAxes::of<float>(cache.rows(), small::Net::C));
  else
    adtr::initialise<small::Net, float>(p, 0);
  const double first = trainer.run_epoch();
  double last = first;
  while (trainer.state().epoch < o.epochs) last = trainer.run_epoch();
  CHECK(last < 0.8 * first);
}

#ifndef ADTR_SANITIZED  // runs the code of the other cases, but takes minutes
TEST_CASE("A run of few steps with the fast recipe's rate reduces the loss") {
  // The network is wide and deep enough to fail with the full rate after a warm-up of half the steps (one step gives 4
  // times the loss). With 16 positions or 2 layers, it would pass.
  using Large = adtr::Reconstruction<36, 96, adtr::TransformerSpec{256, 8, 256, 4}>;
  adtr::FeatureCache<float> cache(3, 36, 96, 1 << 30);
  small::fill(cache);
  auto o = adtr::training_options(adtr::Recipe::fast);
  o.epochs = GENERATE(1, 2, 3, 6, 12);
  adtr::Trainer<Large, adtr::Cpu> trainer(adtr::Cpu::Context(1), cache, o);
  auto p = trainer.parameters();
  adtr::initialise_identity<Large, float>(p, 0, adtr::PrincipalAxes::of<float>(cache.rows(), Large::C));
  const auto loss = [&] { return trainer.gradient(cache.rows(), 0); };
  const double first = loss();
  while (trainer.state().epoch < o.epochs) trainer.run_epoch();
  INFO(o.epochs << " steps");
  CHECK(loss() < 0.97 * first);
}
#endif

TEST_CASE("The same seed gives the same bits for any number of threads, with dropout too") {
  const double dropout = GENERATE(0.0, 0.2);
  const auto one = small::train<adtr::Cpu>(small::options(dropout), 1);
  CHECK(small::train<adtr::Cpu>(small::options(dropout), 2) == one);
  CHECK(small::train<adtr::Cpu>(small::options(dropout), 3) == one);
#ifndef ADTR_SANITIZED
  CHECK(small::train<adtr::EigenBackend>(small::options(dropout), 1) ==
        small::train<adtr::EigenBackend>(small::options(dropout), 2));
#endif
  auto other = small::options(dropout);
  other.seed = 6;
  CHECK(small::train<adtr::Cpu>(other, 1) != one);
}

TEST_CASE("Backends train to the same parameters") {
  const double dropout = GENERATE(0.0, 0.2);
  const auto exact = small::train<adtr::Reference<double>>(small::options(dropout));
  const auto compare = [&](const std::vector<float>& actual) {
    double worst = 0.0, largest = 0.0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      worst = std::max(worst, std::abs(static_cast<double>(actual[i]) - exact[i]));
      largest = std::max(largest, std::abs(exact[i]));
    }
    // AdamW divides by the magnitude of the gradient, so the rounding of gradients near zero visibly moves single
    // parameters.
    CHECK(worst < 2e-2 * largest);
  };
  compare(small::train<adtr::Cpu>(small::options(dropout)));
#ifndef ADTR_SANITIZED  // their operations are under sanitizers in tests/backend; the trainer's memory is the same
  compare(small::train<adtr::EigenBackend>(small::options(dropout)));
  compare(small::train<adtr::Reference<float>>(small::options(dropout)));
#endif
}

TEST_CASE("A run that was saved and resumed ends with the same bits") {
  const auto o = small::options(0.1);
  const auto uninterrupted = small::train<adtr::Cpu>(o);
  adtr::FeatureCache<float> cache(small::images, small::tokens, small::channels, 1 << 30);
  small::fill(cache);
  adtr::RunIdentity identity = adtr::identity_of(o);
  identity["features"] = std::to_string(adtr::fingerprint<float>(cache.rows()));
  const std::string path = (fs::temp_directory_path() / ("adtr_checkpoint_" + std::to_string(getpid()))).string();
  {
    adtr::Trainer<small::Net, adtr::Cpu> trainer(adtr::Cpu::Context(1), cache, o);
    auto p = trainer.parameters();
    adtr::initialise_identity<small::Net, float>(p, o.seed,
                                                 adtr::PrincipalAxes::of<float>(cache.rows(), small::Net::C));
    trainer.run_epoch();
    trainer.run_epoch();
    adtr::save_checkpoint(path, trainer.state(), identity);
  }
  adtr::Trainer<small::Net, adtr::Cpu> trainer(adtr::Cpu::Context(2, adtr::Oversubscribe::yes), cache, o);
  adtr::load_checkpoint(path, identity, trainer.state());
  CHECK(trainer.state().epoch == 2);
  while (trainer.state().epoch < o.epochs) trainer.run_epoch();
  const auto all = trainer.state().parameters.span();
  CHECK(std::vector<float>(all.begin(), all.end()) == uninterrupted);

  SECTION("not with other options or other images") {
    auto changed = o;
    changed.learning_rate = 1e-3;
    auto other = adtr::identity_of(changed);
    REQUIRE_THROWS_WITH(adtr::load_checkpoint(path, other, trainer.state()),
                        ContainsSubstring(path) && ContainsSubstring("--learning-rate 0.004, this run has 0.001"));
    small::fill(cache, 2);
    auto images = identity;
    images["features"] = std::to_string(adtr::fingerprint<float>(cache.rows()));
    REQUIRE_THROWS_WITH(adtr::load_checkpoint(path, images, trainer.state()),
                        ContainsSubstring("the features of the images have changed"));
  }
  fs::remove(path);
}

TEST_CASE("A batch's gradient is the mean of its images', also with more than one group of them") {
  using B = adtr::Reference<double>;
  constexpr Index images = 6;  // groups of 4 and 2
  adtr::FeatureCache<double> cache(images, small::tokens, small::channels, 1 << 30);
  small::fill(cache);
  auto o = small::options();
  o.batch = images;
  o.jitter = 0.0;  // because its noise is drawn image after image
  o.loss = GENERATE(adtr::Loss::norm, adtr::Loss::pixel, adtr::Loss::image);
  o.top_k = 10;
  adtr::Trainer<small::Net, B> trainer(B::Context(1), cache, o);
  auto p = trainer.parameters();
  adtr::initialise<small::Net, double>(p, 1);
  std::vector<std::uint8_t> anomalous(images * small::tokens);
  for (std::size_t i = 0; i < anomalous.size(); i += 5) anomalous[i] = 1;
  std::vector<double> mean(static_cast<std::size_t>(adtr::parameter_count<small::Net>));
  double mean_loss = 0.0;
  for (Index i = 0; i < images; ++i) {
    mean_loss += trainer.gradient(cache.rows().row_range(i * small::tokens, small::tokens), 0,
                                  std::span(anomalous).subspan(static_cast<std::size_t>(i * small::tokens),
                                                               static_cast<std::size_t>(small::tokens))) /
                 images;
    for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += trainer.gradients().data()[j] / images;
  }
  CHECK(trainer.gradient(cache.rows(), 0, anomalous) == Approx(mean_loss));
  double largest = 0.0, farthest = 0.0;
  for (std::size_t j = 0; j < mean.size(); ++j) {
    largest = std::max(largest, std::abs(mean[j]));
    farthest = std::max(farthest, std::abs(mean[j] - trainer.gradients().data()[j]));
  }
  CHECK(largest > 0.0);
  CHECK(farthest < 1e-12 * largest);
}

TEST_CASE("Clipping bounds the gradient that AdamW sees, and a divergence is an error") {
  adtr::FeatureCache<double> cache(4, small::tokens, small::channels, 1 << 30);
  small::fill(cache);
  using B = adtr::Reference<double>;
  auto o = small::options();
  const auto first_moment = [&](double clip) {
    o.clip = clip;
    adtr::Trainer<small::Net, B> trainer(B::Context(1), cache, o);
    auto p = trainer.parameters();
    adtr::initialise<small::Net, double>(p, 1);
    trainer.gradient(cache.rows(), 0);
    trainer.update(0);
    const auto& m = trainer.state().first_moment;
    double sum = 0.0;
    B::squared_norm(B::Context(1), m.data(), m.size(), &sum);
    return std::sqrt(sum) / 0.1;  // m = (1 − β₁)·gradient
  };
  const double free = first_moment(0.0);
  CHECK(first_moment(2.0 * free) == Approx(free));
  CHECK(first_moment(0.5 * free) == Approx(0.5 * free));

  cache.rows().data[0] = std::numeric_limits<double>::infinity();
  adtr::Trainer<small::Net, B> trainer(B::Context(1), cache, o);
  auto p = trainer.parameters();
  adtr::initialise<small::Net, double>(p, 1);
  REQUIRE_THROWS_WITH(trainer.run_epoch(), ContainsSubstring("diverged"));
}

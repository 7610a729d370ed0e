// Batches with anomalies: their frequency, their choice and their anomalous tokens. Training on them is repeatable.
#include "adtr/train/anomalies.hpp"

#include <algorithm>
#include <memory>

#include "adtr/backend/eigen.hpp"
#include "train/small.hpp"

namespace {

using small::Index;
using small::tokens;
constexpr Index size = tokens * small::channels;

/// Features of 1000 + the normal image's number, with the first token anomalous.
struct Numbered final : adtr::AnomalySource<float> {
  void draw(Index image, adtr::RandomStream, float* features, std::span<std::uint8_t> anomalous) override {
    std::fill_n(features, size, 1000.0F + static_cast<float>(image));
    anomalous[0] = 1;
  }
};

/// Normal features with a jump in some channels of four tokens, the same in every image.
adtr::KnownAnomalies<float> jumps(adtr::FeatureCache<float>& cache) {
  small::fill(cache, 2);
  std::vector<std::uint8_t> anomalous(static_cast<std::size_t>(cache.images() * tokens));
  for (Index i = 0; i < cache.images(); ++i)
    for (Index t = i % 3; t < i % 3 + 4; ++t) {
      anomalous[static_cast<std::size_t>(i * tokens + t)] = 1;
      for (Index c = 0; c < small::channels; c += 2) cache.image(i).row(t)[c] += 5.0F;
    }
  return {cache, std::move(anomalous)};
}

struct Trained {
  std::vector<float> parameters;
  double first = 0.0, last = 0.0;
};

template <class B>
Trained train(const adtr::TrainingOptions& o, int threads, Index resumed_at = -1) {
  adtr::FeatureCache<float> normal(small::images, tokens, small::channels, 1 << 30),
      defects(5, tokens, small::channels, 1 << 30);
  small::fill(normal);
  auto known = jumps(defects);
  adtr::ReplacingBatches<float> batches(normal, {&known}, size, o.anomaly_probability, o.seed);
  using Trainer = adtr::Trainer<small::Net, B>;
  const auto started = [&] {
    auto trainer = std::make_unique<Trainer>(support::context<B>(threads), batches, o);
    auto p = trainer->parameters();
    adtr::initialise_identity<small::Net, float>(p, o.seed,
                                                 adtr::PrincipalAxes::of<float>(normal.rows(), small::Net::C));
    return trainer;
  };
  auto trainer = started();
  Trained result;
  while (trainer->state().epoch < o.epochs) {
    if (trainer->state().epoch == resumed_at) {  // another trainer continues from the state
      auto next = started();
      std::copy_n(trainer->state().parameters.data(), next->state().parameters.size(), next->state().parameters.data());
      std::copy_n(trainer->state().first_moment.data(), next->state().parameters.size(),
                  next->state().first_moment.data());
      std::copy_n(trainer->state().second_moment.data(), next->state().parameters.size(),
                  next->state().second_moment.data());
      next->state().epoch = trainer->state().epoch;
      trainer = std::move(next);
    }
    result.last = trainer->run_epoch();
    if (trainer->state().epoch == 1) result.first = result.last;
  }
  const auto all = trainer->state().parameters.span();
  result.parameters.assign(all.begin(), all.end());
  return result;
}

adtr::TrainingOptions options(adtr::Loss loss) {
  auto o = small::options(0.1);
  o.loss = loss;
  o.top_k = 3;
  o.alpha = 0.1;
  return o;
}

}  // namespace

TEST_CASE("Images of a batch are replaced with the given probability, independently in every step") {
  constexpr Index images = 40;
  adtr::FeatureCache<float> normal(images, tokens, small::channels, 1 << 30);
  for (Index i = 0; i < images; ++i) std::fill_n(normal.image(i).data, size, static_cast<float>(i));
  Numbered source;
  const double probability = GENERATE(0.0, 0.3, 0.5, 1.0);
  adtr::ReplacingBatches<float> batches(normal, {&source}, size, probability, 9);
  CHECK(batches.images() == images);
  const std::vector<Index> wanted{3, 17, 39, 0};
  std::vector<float> features(static_cast<std::size_t>(4 * size)), again(features.size());
  double replaced = 0.0;
  std::vector<bool> seen(16, false);
  for (Index step = 0; step < 1000; ++step) {
    std::vector<std::uint8_t> anomalous(4 * tokens), anomalous_again(anomalous.size());
    batches.fill(wanted, step, features.data(), anomalous);
    std::size_t pattern = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const float first = features[i * static_cast<std::size_t>(size)];
      const bool other = first >= 1000.0F;
      CHECK(first == static_cast<float>(wanted[i]) + (other ? 1000.0F : 0.0F));
      CHECK(anomalous[i * tokens] == (other ? 1 : 0));
      CHECK(std::count(anomalous.begin(), anomalous.end(), 1) <= 4);
      replaced += other ? 1.0 : 0.0;
      pattern = 2 * pattern + (other ? 1 : 0);
    }
    seen[pattern] = true;
    if (step % 100 != 0) continue;
    batches.fill(wanted, step, again.data(), anomalous_again);
    CHECK((again == features && anomalous_again == anomalous));
    // Whether an image is replaced does not depend on its neighbours in the batch.
    std::vector<std::uint8_t> alone(tokens);
    batches.fill(std::span(wanted).subspan(2, 1), step, again.data(), alone);
    CHECK(again[0] == features[2 * static_cast<std::size_t>(size)]);
  }
  CHECK(std::abs(replaced / 4000.0 - probability) < 4.0 * std::sqrt(probability * (1.0 - probability) / 4000.0) + 1e-9);
  if (probability > 0.0 && probability < 1.0) CHECK(std::count(seen.begin(), seen.end(), true) == 16);
}

TEST_CASE("Known anomalies have their anomalous tokens and are equally likely, and so are several sources") {
  adtr::FeatureCache<float> normal(1, tokens, small::channels, 1 << 30), defects(3, tokens, small::channels, 1 << 30);
  std::vector<std::uint8_t> known_marks(3 * tokens);
  for (Index i = 0; i < 3; ++i) {
    std::fill_n(defects.image(i).data, size, 10.0F + static_cast<float>(i));
    known_marks[static_cast<std::size_t>(i * tokens + 5 + i)] = 1;
  }
  adtr::KnownAnomalies<float> known(defects, known_marks);
  Numbered numbered;
  adtr::ReplacingBatches<float> batches(normal, {&known, &numbered}, size, 1.0, 4);
  std::vector<float> features(static_cast<std::size_t>(size));
  std::vector<double> counts(4);
  const Index image = 0;
  for (Index step = 0; step < 3000; ++step) {
    std::vector<std::uint8_t> anomalous(tokens);
    batches.fill(std::span(&image, 1), step, features.data(), anomalous);
    CHECK(std::count(anomalous.begin(), anomalous.end(), 1) == 1);
    if (features[0] >= 1000.0F) {
      ++counts[3];
      continue;
    }
    const auto which = static_cast<std::size_t>(features[0] - 10.0F);
    CHECK(anomalous[5 + which] == 1);
    ++counts[which];
  }
  CHECK(std::abs(counts[3] - 1500) < 4 * std::sqrt(750.0));
  for (std::size_t i = 0; i < 3; ++i) CHECK(std::abs(counts[i] - 500) < 4 * std::sqrt(417.0));
}

TEST_CASE("A token is anomalous if any of its pixels is") {
  adtr::Mask mask(20, 30);
  std::vector<std::uint8_t> anomalous(16);
  const auto marked = [&](Index y, Index x) {
    std::fill(mask.data.begin(), mask.data.end(), std::uint8_t{0});
    mask.data[static_cast<std::size_t>(y * 30 + x)] = 255;
    adtr::mark_tokens(mask, 4, anomalous);
    std::vector<Index> which;
    for (Index t = 0; t < 16; ++t)
      if (anomalous[static_cast<std::size_t>(t)] == 1) which.push_back(t);
    return which;
  };
  using Which = std::vector<Index>;
  CHECK(marked(0, 0) == Which{0});
  CHECK(marked(4, 6) == Which{0});
  CHECK(marked(5, 7) == Which{4, 5});  // pixel 7 of 30 lies half in column 0 of 4 and half in column 1
  CHECK(marked(19, 29) == Which{15});
  adtr::Mask tiny(1, 2);  // fewer pixels than tokens: each token has one
  tiny.data = {0, 255};
  adtr::mark_tokens(tiny, 4, anomalous);
  CHECK(anomalous == std::vector<std::uint8_t>{0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1});
}

TEST_CASE("Training with anomalies lowers the loss and pushes defects apart") {
  for (const adtr::Loss loss : {adtr::Loss::pixel, adtr::Loss::image}) {
    auto o = options(loss);
    o.epochs = 12;
    const Trained result = train<adtr::Cpu>(o, 1);
    CHECK(result.last < 0.8 * result.first);
  }
}

TEST_CASE("Training with anomalies gives the same bits for any number of threads, and when it is resumed") {
  for (const adtr::Loss loss : {adtr::Loss::pixel, adtr::Loss::image}) {
    const auto o = options(loss);
    const auto one = train<adtr::Cpu>(o, 1).parameters;
    CHECK(train<adtr::Cpu>(o, 3).parameters == one);
    CHECK(train<adtr::Cpu>(o, 2, 2).parameters == one);
#ifndef ADTR_SANITIZED
    CHECK(train<adtr::EigenBackend>(o, 1).parameters == train<adtr::EigenBackend>(o, 2).parameters);
#endif
    auto other = o;
    other.anomaly_probability = 0.2;
    CHECK(train<adtr::Cpu>(other, 1).parameters != one);
  }
}

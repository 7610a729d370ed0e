// The two recipes are the ones that the method states.
#include <cmath>
#include <numbers>

#include "adtr/train/recipe.hpp"
#include "support/catch.hpp"

using adtr::Index;

TEST_CASE("The paper's recipe: AdamW 1e-4, decay 1e-4, batch 16, 500 epochs, a tenth after epoch 400, dropout 0.1") {
  const auto o = adtr::training_options(adtr::Recipe::paper);
  CHECK(o.epochs == 500);
  CHECK(o.batch == 16);
  CHECK(o.learning_rate == 1e-4);
  CHECK(o.weight_decay == 1e-4);
  CHECK(o.dropout == 0.1);
  CHECK(o.jitter == 0.0);
  CHECK(o.pooling == adtr::Pooling::bilinear);
  constexpr Index per_epoch = 20;
  const auto rate = [&](Index epoch, Index step) {
    return adtr::learning_rate(o, epoch * per_epoch + step, 500 * per_epoch, per_epoch);
  };
  CHECK(rate(0, 0) == 1e-4);
  CHECK(rate(399, 19) == 1e-4);
  CHECK(rate(400, 0) == Approx(1e-5).epsilon(1e-12));
  CHECK(rate(499, 19) == Approx(1e-5).epsilon(1e-12));
}

TEST_CASE("The fast recipe: 4e-3, warm-up over 20 steps, cosine to 0, batch 16, decay 1e-4, jitter 0.3, no dropout") {
  const auto o = adtr::training_options(adtr::Recipe::fast);
  CHECK(o.batch == 16);
  CHECK(o.learning_rate == 4e-3);
  CHECK(o.weight_decay == 1e-4);
  CHECK(o.dropout == 0.0);
  CHECK(o.jitter == 0.3);
  CHECK(adtr::learning_rate(o, 0, 1000, 50) == Approx(4e-3 / 20));
  CHECK(adtr::learning_rate(o, 9, 1000, 50) == Approx(4e-3 * 0.5).epsilon(1e-3));
  CHECK(adtr::learning_rate(o, 500, 1000, 50) == Approx(2e-3));
  CHECK(adtr::learning_rate(o, 999, 1000, 50) < 2e-8);
  for (Index step = 20; step < 999; ++step)
    CHECK(adtr::learning_rate(o, step, 1000, 50) > adtr::learning_rate(o, step + 1, 1000, 50));
  // Short runs: the warm-up keeps its length, and below 20 steps the rate shrinks with them, down to a quarter.
  CHECK(adtr::learning_rate(o, 0, 20, 5) == Approx(4e-3 / 20));
  CHECK(adtr::learning_rate(o, 9, 20, 5) == Approx(4e-3 * 10 / 20 * 0.5 * (1 + std::cos(std::numbers::pi * 9 / 20))));
  CHECK(adtr::learning_rate(o, 0, 10, 5) == Approx(2e-3 / 20));
  CHECK(adtr::learning_rate(o, 0, 1, 1) == Approx(1e-3 / 20));
  CHECK(adtr::learning_rate(o, 1, 2, 1) == Approx(1e-3 * 2 / 20 * 0.5));
}

TEST_CASE("The second stage: paper 300 epochs, 1e-4 for 200, then 1e-5; fast 10 epochs from a tenth of the rate") {
  const auto paper = adtr::second_stage_options(adtr::Recipe::paper);
  CHECK(paper.loss == adtr::Loss::pixel);
  CHECK(paper.alpha == 0.003);
  CHECK(paper.top_k == 20);
  CHECK(paper.anomaly_probability == 0.5);
  CHECK(paper.epochs == 300);
  CHECK(adtr::learning_rate(paper, 199 * 7 + 6, 300 * 7, 7) == 1e-4);
  CHECK(adtr::learning_rate(paper, 200 * 7, 300 * 7, 7) == Approx(1e-5).epsilon(1e-12));
  const auto fast = adtr::second_stage_options(adtr::Recipe::fast);
  CHECK(fast.epochs == 10);
  CHECK(fast.learning_rate == Approx(4e-4).epsilon(1e-12));
  CHECK(adtr::learning_rate(fast, 500, 1000, 50) == Approx(2e-4));
}

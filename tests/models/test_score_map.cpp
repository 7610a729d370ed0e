// Compares the score map with its definition: bilinear with aligned corners, then the largest mean of a 16×16 window.
#include "adtr/backend/reference.hpp"
#include "adtr/core/random.hpp"
#include "adtr/models/score_map.hpp"
#include "support/catch.hpp"

using adtr::Index;

TEST_CASE("Upsampling is the backend's resize, and pooling the largest mean of a window") {
  const auto [grid, size] = GENERATE(std::pair<Index, Index>{16, 256}, std::pair<Index, Index>{8, 32},
                                     std::pair<Index, Index>{4, 12}, std::pair<Index, Index>{1, 20});
  adtr::RandomStream random(1, 1);
  std::vector<double> scores(static_cast<std::size_t>(grid * grid)), map(static_cast<std::size_t>(size * size)),
      expected(map.size());
  for (double& s : scores) s = random.uniform() - 0.75;  // negative maxima too: z-scores have them
  adtr::ScoreMap<double> score_map(grid, size);
  score_map.upsample(scores, map);
  adtr::Reference<double>::resize(adtr::reference::Context(), {scores.data(), 1, grid, grid, 1},
                                  {expected.data(), 1, size, size, 1});
  double worst = 0.0;
  for (std::size_t i = 0; i < map.size(); ++i) worst = std::max(worst, std::abs(map[i] - expected[i]));
  CHECK(worst < 1e-14);

  const Index side = std::min<Index>(16, size);
  double largest = -1e9;
  for (Index y = 0; y + side <= size; ++y)
    for (Index x = 0; x + side <= size; ++x) {
      double sum = 0.0;
      for (Index dy = 0; dy < side; ++dy)
        for (Index dx = 0; dx < side; ++dx) sum += expected[static_cast<std::size_t>((y + dy) * size + x + dx)];
      largest = std::max(largest, sum / static_cast<double>(side * side));
    }
  CHECK(score_map.pooled_maximum(map) == Approx(largest).margin(1e-12));
}

TEST_CASE("A map with a value that is not finite has no maximum, at any position of the value") {
  constexpr Index size = 40;
  adtr::ScoreMap<float> score_map(8, size);
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()})
    for (const Index at : {Index{0}, Index{39}, 20 * size + 20, 39 * size, size * size - 1}) {
      std::vector<float> map(size * size, 1.0F);
      CHECK(score_map.pooled_maximum(map) == 1.0);
      map[static_cast<std::size_t>(at)] = value;
      INFO(value << " at " << at);
      CHECK(std::isnan(score_map.pooled_maximum(map)));
    }
}

// The colours of a model without held-out images.
#include "adtr/train/colour_scale.hpp"

#include <vector>

#include "support/catch.hpp"

TEST_CASE("The scale from training images widens with the number of epochs, up to a limit") {
  std::vector<float> scores;
  for (int i = 0; i < 1000; ++i) scores.push_back(2.0F + static_cast<float>(i) / 1000.0F);
  const adtr::HeatScale plain = adtr::heat_scale(scores);
  const auto widening = [&](adtr::Index epochs, adtr::Index images) {
    const adtr::HeatScale scale = adtr::training_scale(scores, epochs, images);
    CHECK(scale.high / plain.high == Approx(scale.low / plain.low));
    return static_cast<double>(scale.low / plain.low);
  };
  CHECK(widening(6, 300) == Approx(1.02));
  CHECK(widening(40, 31) == Approx(1 + 40.0 / 31));
  CHECK(widening(500, 16) == Approx(2.5));
}

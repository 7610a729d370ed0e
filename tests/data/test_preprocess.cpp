/// Compares normalisation with NumPy's float32, and with the definition in double.
#include "adtr/data/preprocess.hpp"

#include "adtr/models/catalogue.hpp"
#include "support.hpp"

using namespace test_data;

namespace {

/// Pixel i has the value i in all channels.
adtr::Image every_value() {
  adtr::Image image(1, 256);
  for (std::size_t i = 0; i < image.data.size(); ++i) image.data[i] = static_cast<std::uint8_t>(i / 3);
  return image;
}

}  // namespace

TEST_CASE("normalise in float equals float32 step by step") {
  const adtr::Image image = every_value();
  for (auto& line : golden_lines("normalise")) {
    std::string preset;
    std::string hash;
    std::size_t channel = 0;
    REQUIRE(line >> preset >> channel >> hash);
    INFO(preset << " " << channel);
    std::vector<float> all(image.data.size());
    const bool imagenet = preset == "imagenet";
    const adtr::Numerics numerics =
        adtr::parse_architecture(imagenet ? "efficientnet_b4" : "efficientnet_lite0").numerics;
    adtr::normalise(image, numerics.mean, numerics.std, all.data());
    std::vector<float> values(256);
    for (std::size_t x = 0; x < 256; ++x) values[x] = all[3 * x + channel];
    for (const std::size_t x : {0U, 1U, 100U, 127U, 128U, 254U, 255U}) {
      float expected = 0.0F;
      REQUIRE(line >> expected);
      CHECK(values[x] == expected);
    }
    CHECK(fnv(values.data(), values.size() * sizeof(float)) == hash);
  }
}

TEST_CASE("normalise in double is the definition") {
  adtr::Image image = every_value();
  image.data[3] = 10;  // pixel 1 is (10, 20, 30): channels do not mix
  image.data[4] = 20;
  image.data[5] = 30;
  std::vector<double> out(image.data.size());
  adtr::normalise(image, {0.1F, 0.2F, 0.3F}, {0.5F, 0.25F, 2.0F}, out.data());
  CHECK(out[3] == Approx((10 / 255.0 - 0.1) / 0.5).epsilon(1e-6));
  CHECK(out[4] == Approx((20 / 255.0 - 0.2) / 0.25).epsilon(1e-6));
  CHECK(out[5] == Approx((30 / 255.0 - 0.3) / 2.0).epsilon(1e-6));
  const adtr::Numerics lite = adtr::parse_architecture("efficientnet_lite0").numerics;
  adtr::normalise(image, lite.mean, lite.std, out.data());
  for (std::size_t x = 2; x < 256; ++x) {
    CHECK(out[3 * x] == Approx((static_cast<double>(x) - 127) / 128).epsilon(1e-6).margin(1e-6));
  }
}

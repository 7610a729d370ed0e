/// Tests golden.hpp: it accepts correct tensors and finds errors, also at positions that are not sampled.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "golden/golden.hpp"
#include "support/catch.hpp"

namespace {

/// The result of the case resize_8x8_8: a resize to the same size is a copy.
std::vector<double> copied() { return formula::uniform<double>("resize_8x8_8.x", 8 * 8 * 11, 2.0); }

}  // namespace

TEST_CASE("A tensor stored whole is compared element by element", "[golden]") {
  const golden::Golden expected("operations");
  std::vector<double> x = copied();
  CHECK(expected.error<double>("resize_8x8_8.y", x) < 1e-12);
  for (const std::size_t i : {std::size_t{0}, x.size() / 2, x.size() - 1}) {
    std::vector<double> wrong = x;
    wrong[i] += 1e-6;
    const double error = expected.error<double>("resize_8x8_8.y", wrong);
    CHECK(error > 4.9e-7);  // the largest magnitude is just below 2
    CHECK(error < 5.1e-7);
  }
}

TEST_CASE("Other sizes and numbers that are not finite are infinitely far off", "[golden]") {
  const golden::Golden expected("operations");
  std::vector<float> x(8 * 8 * 11);
  x[7] = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isinf(expected.error<float>("resize_8x8_8.y", x)));
  x.pop_back();
  CHECK(std::isinf(expected.error<float>("resize_8x8_8.y", x)));
  CHECK_THROWS_AS(expected.error<float>("resize_8x8_8.z", x), adtr::Error);
}

TEST_CASE("A sampled tensor is wrong wherever it is wrong", "[golden]") {
  const golden::Golden expected("operations");
  const std::vector<double> x = formula::uniform<double>("resize_24x25_copy.x", 24 * 25 * 11, 2.0);
  CHECK(expected.error<double>("resize_24x25_copy.y", x) < 1e-12);
  std::vector<bool> seen(x.size());
  for (std::size_t j = 0; j < 4096; ++j) seen[formula::sample_index(j, x.size(), 4096)] = true;
  std::size_t tried = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (seen[i]) continue;
    std::vector<double> wrong = x;
    wrong[i] += 1e-3;
    const double error = expected.error<double>("resize_24x25_copy.y", wrong);
    REQUIRE(error > 1e-6);
    REQUIRE(error < 1e-3);
    if (++tried == 100) break;
  }
  CHECK(tried == 100);
  std::vector<double> scaled = x;
  for (double& v : scaled) v *= 1.0 + 1e-7;
  CHECK(expected.error<double>("resize_24x25_copy.y", scaled) > 1e-8);
}

TEST_CASE("The list of parameters holds PyTorch's names and shapes", "[golden]") {
  const std::vector<golden::Parameter> list = golden::Golden("b4_256_16").parameters();
  const auto shape = [&](const std::string& name) {
    for (const golden::Parameter& p : list)
      if (p.name == name) return p.shape;
    return std::vector<std::size_t>{};
  };
  CHECK(shape("backbone.conv_stem.weight") == std::vector<std::size_t>{48, 3, 3, 3});
  CHECK(shape("input_proj.weight") == std::vector<std::size_t>{256, 720});
  CHECK(shape("decoder.layers.3.multihead_attn.in_proj_weight") == std::vector<std::size_t>{768, 256});
  CHECK(list.back().values<float>().size() == 256);
}

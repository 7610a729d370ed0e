/// formula.hpp against values that formula.py gave.
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "golden/formula.hpp"
#include "support/catch.hpp"

namespace {

struct Expected {
  std::string name;
  std::vector<std::size_t> shape;
  std::array<double, 4> values;  ///< elements 0, 1, n/2, n−1
};

}  // namespace

TEST_CASE("Parameters of the formula are those of formula.py", "[formula]") {
  const std::vector<Expected> all{
      {"backbone.conv_stem.weight",
       {32, 3, 3, 3},
       {0x1.1705720000000p-2, -0x1.33b6a20000000p-3, 0x1.d0d68a0000000p-2, -0x1.cbfd7a0000000p-5}},
      {"backbone.blocks.1.0.se.conv_reduce.weight",
       {4, 96, 1, 1},
       {-0x1.bbd6340000000p-5, -0x1.5dc9040000000p-7, -0x1.c987ec0000000p-5, -0x1.3b0f4e0000000p-7}},
      {"backbone.layer1.0.conv1.weight",
       {64, 64, 3, 3},
       {-0x1.5d14a40000000p-6, 0x1.6bfc1c0000000p-5, -0x1.c958700000000p-5, -0x1.9a23bc0000000p-5}},
      {"backbone.bn1.weight",
       {32},
       {0x1.00cc400000000p+0, 0x1.bb93b20000000p-1, 0x1.e6ae280000000p-1, 0x1.a9f1640000000p-1}},
      {"backbone.bn1.bias",
       {32},
       {0x1.423df40000000p-5, 0x1.6b98cc0000000p-8, -0x1.c1e18c0000000p-6, 0x1.152e9a0000000p-5}},
      {"backbone.bn1.running_mean",
       {32},
       {-0x1.5f1c2c0000000p-5, -0x1.8c71240000000p-4, -0x1.04df300000000p-4, -0x1.fb4f8c0000000p-6}},
      {"backbone.bn1.running_var",
       {32},
       {0x1.2583640000000p+0, 0x1.39d8ac0000000p-1, 0x1.49834c0000000p+0, 0x1.59a36c0000000p+0}},
      {"input_proj.weight",
       {256, 720},
       {0x1.700c6c0000000p-6, -0x1.ca18f00000000p-5, -0x1.2bc3f00000000p-5, -0x1.e70a2e0000000p-6}},
      {"pos_embed",
       {256, 256},
       {-0x1.1675300000000p-1, 0x1.ef78000000000p-7, -0x1.1174680000000p-2, 0x1.8b58540000000p-1}},
      {"encoder.layers.0.self_attn.in_proj_weight",
       {768, 256},
       {-0x1.5465fa0000000p-7, -0x1.28fa580000000p-4, 0x1.b8389a0000000p-4, -0x1.6fefa60000000p-5}},
      {"encoder.layers.0.self_attn.in_proj_bias",
       {768},
       {-0x1.f9bae00000000p-5, -0x1.0262000000000p-9, -0x1.647c200000000p-4, 0x1.51d1060000000p-5}},
      {"decoder.layers.3.multihead_attn.out_proj.weight",
       {256, 256},
       {0x1.9bbebe0000000p-10, 0x1.0651660000000p-5, -0x1.09d8620000000p-5, 0x1.ea2dd60000000p-9}},
      {"encoder.layers.0.linear1.bias",
       {1024},
       {-0x1.8543080000000p+1, -0x1.9189140000000p+1, 0x1.8444560000000p+1, -0x1.95d81a0000000p+1}},
      {"encoder.layers.0.linear2.weight",
       {256, 1024},
       {0x1.703ab60000000p-8, 0x1.9e93f40000000p-8, 0x1.e855e00000000p-10, -0x1.7fffc40000000p-8}},
  };
  for (const Expected& e : all) {
    INFO(e.name);
    const std::vector<double> v = formula::parameter<double>(e.name, e.shape);
    CHECK(std::array{v[0], v[1], v[v.size() / 2], v.back()} == e.values);
    const std::vector<float> f = formula::parameter<float>(e.name, e.shape);
    CHECK(std::vector<double>(f.begin(), f.end()) == v);
  }
}

TEST_CASE("Uniform values of the formula are those of formula.py", "[formula]") {
  const std::vector<double> input = formula::uniform<double>("input.0", 196608, 2.0);
  CHECK(std::array{input[0], input[1], input[196607]} ==
        std::array{0x1.4a68d80000000p+0, 0x1.b724000000000p-3, -0x1.4ac7280000000p+0});
  const std::vector<double> features = formula::uniform<double>("features.1", 184320, 1.7);
  CHECK(std::array{features[0], features[1], features[184319]} ==
        std::array{-0x1.ccabbc0000000p-1, -0x1.62053e0000000p+0, 0x1.cdb52c0000000p-3});
}

TEST_CASE("Samples lie where formula.py puts them", "[formula]") {
  CHECK(formula::sample_index(0, 513, 512) == 0);
  CHECK(formula::sample_index(1, 513, 512) == 1);
  CHECK(formula::sample_index(511, 513, 512) == 511);
  CHECK(formula::sample_index(0, 184320, 512) == 295);
  CHECK(formula::sample_index(1, 184320, 512) == 545);
  CHECK(formula::sample_index(511, 184320, 512) == 184302);
  CHECK(formula::sample_index(0, 196608, 128) == 943);
  CHECK(formula::sample_index(1, 196608, 128) == 2753);
  CHECK(formula::sample_index(127, 196608, 128) == 195736);
  for (const std::size_t n : {513U, 1023U, 1024U, 720U * 256U}) {
    for (std::size_t j = 0; j < 512; ++j) {
      const std::size_t i = formula::sample_index(j, n, 512);
      REQUIRE(i >= j * n / 512);
      REQUIRE(i < n);
    }
  }
}

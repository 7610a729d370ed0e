/// The random numbers of dropout.
#include <array>
#include <cstdint>
#include <set>

#include "adtr/core/philox.hpp"
#include "support/catch.hpp"

namespace {
using Words = std::array<std::uint32_t, 4>;
}

TEST_CASE("philox gives Random123's known answers", "[core]") {
  // kat_vectors of Random123 1.14, the lines `philox4x32 10`; the key's words are low, high.
  CHECK(adtr::philox({0, 0, 0, 0}, 0) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(adtr::philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, 0xffffffffffffffff) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(adtr::philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  static_assert(adtr::philox({0, 0, 0, 0}, 0)[0] == 0x6627e8d5);
  // And the lines `philox4x32 7`.
  CHECK(adtr::philox<7>({0, 0, 0, 0}, 0) == Words{0x5f6fb709, 0x0d893f64, 0x4f121f81, 0x4f730a48});
  CHECK(adtr::philox<7>({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, 0xffffffffffffffff) ==
        Words{0x5207ddc2, 0x45165e59, 0x4d8ee751, 0x8c52f662});
  CHECK(adtr::philox<7>({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822) ==
        Words{0x4dfccaba, 0x190a87f0, 0xc47362ba, 0xb6b5242a});
}

TEST_CASE("dropout's bits come from the counter, word and half of their element", "[core]") {
  const adtr::Dropout dropout{0.1F, 0x123456789abcdef0, 7, 42};
  for (const std::uint64_t block : {std::uint64_t{0}, std::uint64_t{5}, std::uint64_t{1} << 40})
    for (std::uint64_t lane = 0; lane < 8; ++lane) {
      const std::uint64_t counter = 8 * block + lane;
      const Words words = adtr::philox<7>(
          {static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), dropout.site, dropout.step},
          dropout.seed);
      for (std::size_t w = 0; w < 4; ++w) {
        CHECK(dropout.bits(64 * block + 16 * w + 2 * lane) == (words[w] & 0xFFFF));
        CHECK(dropout.bits(64 * block + 16 * w + 2 * lane + 1) == words[w] >> 16);
      }
    }
}

TEST_CASE("dropout drops at its rate, differently for each seed, site and step", "[core]") {
  constexpr std::uint64_t n = 100000;
  for (const float rate : {0.1F, 0.5F, 0.9F}) {
    const adtr::Dropout dropout{rate, 3, 1, 1};
    std::uint64_t dropped = 0;
    for (std::uint64_t i = 0; i < n; ++i) dropped += dropout.keep(i) ? 0U : 1U;
    CHECK(static_cast<double>(dropped) / n == Approx(static_cast<double>(rate)).margin(0.01));  // 6 σ
    CHECK(dropout.scale() == Approx(1.0F / (1.0F - rate)));
  }
  std::set<std::uint32_t> words;
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32})
    for (const std::uint32_t site : {0U, 1U})
      for (const std::uint32_t step : {0U, 1U}) words.insert(adtr::Dropout{0.5F, seed, site, step}.words(0)[0]);
  CHECK(words.size() == 12);
}

TEST_CASE("a dropout rate of zero keeps everything", "[core]") {
  const adtr::Dropout none{};
  CHECK_FALSE(none.active());
  CHECK(none.scale() == 1.0F);
  CHECK(none.threshold() == 0);
  for (std::uint64_t i = 0; i < 100; ++i) CHECK(none.keep(i));
}

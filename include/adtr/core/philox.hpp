/// Random numbers that are a function of where they are used: the same for any number of threads and any vector width.
#pragma once

#include <array>
#include <cstdint>

#include "adtr/core/extents.hpp"

namespace adtr::inline ADTR_ABI {

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): four 32-bit words from a
/// counter of four words and a key of two.
[[nodiscard]] constexpr std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::uint64_t key) {
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ k0, static_cast<std::uint32_t>(p1),
               static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ k1, static_cast<std::uint32_t>(p0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return counter;
}

/// Which elements one dropout layer drops in one training step.
struct Dropout {
  float rate = 0.0F;       ///< probability of dropping, in [0, 1); 0 is the identity
  std::uint64_t seed = 0;  ///< of the run
  std::uint32_t site = 0;  ///< which dropout layer of the network
  std::uint32_t step = 0;  ///< which training step

  [[nodiscard]] constexpr bool active() const { return rate > 0.0F; }
  /// What kept elements are multiplied by, 1 / (1 − rate).
  [[nodiscard]] constexpr float scale() const { return 1.0F / (1.0F - rate); }
  /// A word below this drops its element.
  [[nodiscard]] constexpr std::uint32_t threshold() const {
    return static_cast<std::uint32_t>(static_cast<double>(rate) * 4294967296.0);
  }
  /// The random word of element i. Elements are taken in blocks of 32: eight counters give four words each, and word w
  /// of counter c belongs to element 8w + c, so that a vector of eight counters yields eight neighbours at a time.
  [[nodiscard]] constexpr std::uint32_t word(std::uint64_t i) const {
    const std::uint64_t counter = i / 32 * 8 + i % 8;
    return philox({static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), site, step},
                  seed)[i % 32 / 8];
  }
  [[nodiscard]] constexpr bool keep(std::uint64_t i) const { return word(i) >= threshold(); }
};

}  // namespace adtr::inline ADTR_ABI

/// Random numbers that are a function of where they are used: the same for any number of threads and any vector width.
#pragma once

#include <array>
#include <cstdint>

#include "adtr/core/extents.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Philox4x32 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): four 32-bit words from a counter
/// of four words and a key of two. Seven rounds pass every statistical test; ten leave a margin.
template <int Rounds = 10>
[[nodiscard]] constexpr std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::uint64_t key) {
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < Rounds; ++round) {
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
  std::uint64_t seed = 0;  ///< seed of the run
  std::uint32_t site = 0;  ///< which dropout layer of the network
  std::uint32_t step = 0;  ///< which training step

  [[nodiscard]] constexpr bool active() const { return rate > 0.0F; }
  /// The factor of kept elements, 1 / (1 − rate).
  [[nodiscard]] constexpr float scale() const { return 1.0F / (1.0F - rate); }
  /// An element is dropped if its bits are below this: the rate in units of 1/65536.
  [[nodiscard]] constexpr std::uint32_t threshold() const {
    return static_cast<std::uint32_t>(static_cast<double>(rate) * 65536.0 + 0.5);
  }
  /// The four random words of a counter, from which `bits` takes its 16 bits.
  [[nodiscard]] constexpr std::array<std::uint32_t, 4> words(std::uint64_t counter) const {
    return philox<7>({static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), site, step},
                     seed);
  }
  /// The 16 random bits of element i. Elements are taken in blocks of 64: eight counters give four words each, and the
  /// low and high half of word w of counter c belong to elements 16w + 2c and 16w + 2c + 1, so that a vector of eight
  /// counters yields sixteen neighbours at a time.
  [[nodiscard]] constexpr std::uint32_t bits(std::uint64_t i) const {
    return words(i / 64 * 8 + i / 2 % 8)[i % 64 / 16] >> (i % 2 * 16) & 0xFFFF;
  }
  [[nodiscard]] constexpr bool keep(std::uint64_t i) const { return bits(i) >= threshold(); }
};

}  // namespace ADTR_ABI
}  // namespace adtr

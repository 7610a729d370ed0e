/// Random numbers for starting weights, the order of images and made-up defects. They are functions of (seed, stream,
/// index), so that a run can be resumed anywhere.
#pragma once

#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

#include "adtr/core/philox.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// A sequence of numbers that depends on the seed and the stream's number alone.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  [[nodiscard]] std::uint32_t word() {
    const std::uint64_t block = next_ / 4;
    if (next_ % 4 == 0)
      words_ = philox({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32),
                       static_cast<std::uint32_t>(stream_), static_cast<std::uint32_t>(stream_ >> 32)},
                      seed_);
    return words_[next_++ % 4];
  }
  /// A number with 32 random bits, uniform in [0, 1).
  [[nodiscard]] double uniform() { return static_cast<double>(word()) * 0x1p-32; }
  /// A number from the standard normal distribution (Box & Muller).
  [[nodiscard]] double normal() {
    const double radius = std::sqrt(-2.0 * std::log((static_cast<double>(word()) + 1.0) * 0x1p-32));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }
  /// An integer uniform in [0, n), where n < 2³². Lemire's multiply-shift has a bias of n/2³², which is harmless here.
  [[nodiscard]] std::size_t below(std::size_t n) { return static_cast<std::size_t>(std::uint64_t{word()} * n >> 32); }

 private:
  std::uint64_t seed_, stream_, next_ = 0;
  std::array<std::uint32_t, 4> words_{};
};

/// The numbers 0 … n − 1 in random order (Fisher & Yates).
[[nodiscard]] inline std::vector<std::size_t> permutation(std::size_t n, RandomStream random) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

}  // namespace ADTR_ABI
}  // namespace adtr

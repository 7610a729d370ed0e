/// Further uses of good images: some are held out, and their scores give statistics.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "adtr/core/random.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

/// Moves a random choice of `count` samples, fewer than there are, out of `samples` and returns it; the threshold comes
/// from them. Both parts keep their order. The same count and seed choose the same positions.
template <class S>
std::vector<S> split_off(std::vector<S>& samples, std::size_t count, std::uint64_t seed) {
  if (count == 0) return {};
  const auto n = samples.size();
  const auto order = permutation(n, RandomStream(seed, std::uint64_t{1} << 56));
  std::vector<bool> held(n, false);
  for (std::size_t i = 0; i < count; ++i) held[order[i]] = true;
  std::vector<S> kept, out;
  for (std::size_t i = 0; i < n; ++i) (held[i] ? out : kept).push_back(std::move(samples[i]));
  samples = std::move(kept);
  return out;
}

/// Mean and standard deviation of each position's scores (images, H·W) over the images. The deviation is at least a
/// fifth of the deviation over all positions and images, so that positions that never change do not dominate.
template <class T>
void score_statistics(const std::vector<T>& scores, Index positions, T* mean, T* std) {
  const auto p = static_cast<std::size_t>(positions);
  const auto images = static_cast<double>(scores.size() / p);
  double total = 0.0, total_squares = 0.0;
  for (const T s : scores) total += static_cast<double>(s);
  total /= static_cast<double>(scores.size());
  for (const T s : scores) total_squares += (static_cast<double>(s) - total) * (static_cast<double>(s) - total);
  const double floor = (std::max)(0.2 * std::sqrt(total_squares / static_cast<double>(scores.size())), 1e-12);
  for (std::size_t u = 0; u < p; ++u) {
    double sum = 0.0, squares = 0.0;
    for (std::size_t i = u; i < scores.size(); i += p) sum += static_cast<double>(scores[i]);
    sum /= images;
    for (std::size_t i = u; i < scores.size(); i += p)
      squares += (static_cast<double>(scores[i]) - sum) * (static_cast<double>(scores[i]) - sum);
    mean[u] = static_cast<T>(sum);
    std[u] = static_cast<T>((std::max)(std::sqrt(squares / images), floor));
  }
}

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr

/// Turns position scores into a map of the image's size, and into one score for the image.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "adtr/core/extents.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Upsamples square maps of position scores and pools them. Keeps its working memory, so that scoring allocates
/// nothing.
template <class T>
class ScoreMap {
 public:
  /// Side in pixels of the window over which the image score averages (method: 16×16, stride 1).
  static constexpr Index pool = 16;

  ScoreMap(Index grid, Index image_size)
      : grid_(grid),
        size_(image_size),
        rows_(static_cast<std::size_t>(grid * image_size)),
        sums_(static_cast<std::size_t>(image_size)) {}

  /// Writes `map` (image_size²) from `scores` (grid²): bilinear, corners aligned.
  void upsample(std::span<const T> scores, std::span<T> map) {
    for (Index y = 0; y < grid_; ++y) {
      const T* from = scores.data() + y * grid_;
      for (Index x = 0; x < size_; ++x) {
        const auto [i, f] = place(x);
        rows_[at(y * size_ + x)] = from[i] + (from[(std::min)(i + 1, grid_ - 1)] - from[i]) * f;
      }
    }
    for (Index y = 0; y < size_; ++y) {
      const auto [i, f] = place(y);
      const T* above = rows_.data() + i * size_;
      const T* below = rows_.data() + (std::min)(i + 1, grid_ - 1) * size_;
      T* out = map.data() + y * size_;
      for (Index x = 0; x < size_; ++x) out[x] = above[x] + (below[x] - above[x]) * f;
    }
  }

  /// Returns the largest mean over a pool×pool window of the map, or over the whole map if it is smaller. NaN if a
  /// value of the map is not finite.
  [[nodiscard]] double pooled_maximum(std::span<const T> map) {
    const Index side = (std::min)(pool, size_);
    double largest = 0.0;
    std::fill(sums_.begin(), sums_.end(), 0.0);
    for (Index y = 0; y < size_; ++y) {
      const T* in = map.data() + y * size_;
      const T* out = map.data() + (y - side) * size_;
      if (y < side)
        for (Index x = 0; x < size_; ++x) sums_[at(x)] += static_cast<double>(in[x]);
      else
        for (Index x = 0; x < size_; ++x) sums_[at(x)] += static_cast<double>(in[x]) - static_cast<double>(out[x]);
      if (y < side - 1) continue;
      double window = 0.0;
      for (Index x = 0; x < size_; ++x) {
        window += sums_[at(x)] - (x >= side ? sums_[at(x - side)] : 0.0);
        const bool first = y == side - 1 && x == side - 1;
        if (x >= side - 1) largest = first ? window : (std::max)(largest, window);
      }
    }
    // A value that is not finite stays in its column's sum for good, so it is found here; it would have lost every
    // comparison above.
    const auto finite = [](double sum) { return std::isfinite(sum); };
    if (!std::all_of(sums_.begin(), sums_.end(), finite)) return std::numeric_limits<double>::quiet_NaN();
    return largest / static_cast<double>(side * side);
  }

 private:
  static std::size_t at(Index i) { return static_cast<std::size_t>(i); }

  struct Place {
    Index index;
    T fraction;
  };
  /// Pixel x lies at x·(grid − 1)/(size − 1) of the position scores.
  [[nodiscard]] Place place(Index x) const {
    const double p =
        size_ > 1 ? static_cast<double>(x) * static_cast<double>(grid_ - 1) / static_cast<double>(size_ - 1) : 0.0;
    const Index i = (std::min)(static_cast<Index>(p), grid_ - 1);
    return {i, static_cast<T>(p - static_cast<double>(i))};
  }

  Index grid_, size_;
  std::vector<T> rows_;       ///< (grid, size): upsampled in width only
  std::vector<double> sums_;  ///< sum of each column over the last `pool` rows
};

}  // namespace ADTR_ABI
}  // namespace adtr

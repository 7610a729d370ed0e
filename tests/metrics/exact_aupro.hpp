/// Computes AUPRO from all pixels, sorted in memory, to compare with aupro() of a PixelHistogram.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "adtr/metrics/ranking.hpp"
#include "adtr/metrics/regions.hpp"

/// Its area is that of MVTec's evaluation, over all pixels that were added.
class ExactAupro {
 public:
  /// Adds a score map (H, W) with its mask (H, W), whose nonzero values are defects; an empty mask means a good image.
  void add(std::span<const float> scores, std::span<const std::uint8_t> mask, std::size_t height, std::size_t width) {
    if (mask.empty()) {
      normal_.insert(normal_.end(), scores.begin(), scores.end());
      return;
    }
    const adtr::Regions regions = adtr::label_regions(mask, height, width);
    const std::size_t first_region = region_sizes_.size();
    region_sizes_.insert(region_sizes_.end(), regions.sizes.begin(), regions.sizes.end());
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (regions.labels[i] == 0) {
        normal_.push_back(scores[i]);
      } else {
        defect_.push_back({scores[i], static_cast<std::uint32_t>(first_region + regions.labels[i] - 1)});
      }
    }
  }

  [[nodiscard]] std::size_t regions() const { return region_sizes_.size(); }

  /// The area up to the false-positive rate `limit`, divided by it. NaN without a region or a normal pixel.
  [[nodiscard]] double value(double limit = 0.3) {
    if (region_sizes_.empty() || normal_.empty()) return std::numeric_limits<double>::quiet_NaN();
    const float lowest = sort_down_to(limit);

    const auto normal_pixels = static_cast<double>(normal_.size());
    const auto region_count = static_cast<double>(region_sizes_.size());
    double area = 0;
    double overlap_sum = 0;
    double last_rate = 0;
    double last_overlap = 0;
    std::size_t false_positives = 0;
    std::size_t defects = 0;
    const auto more_normal = [&] { return false_positives < normal_.size() && normal_[false_positives] >= lowest; };
    const auto more_defects = [&] { return defects < defect_.size() && defect_[defects].score >= lowest; };
    while (more_normal() || more_defects()) {
      const bool defect_next = more_defects() && (!more_normal() || defect_[defects].score >= normal_[false_positives]);
      const float score = defect_next ? defect_[defects].score : normal_[false_positives];
      while (more_normal() && normal_[false_positives] >= score) ++false_positives;
      for (; more_defects() && defect_[defects].score >= score; ++defects) {
        overlap_sum += 1.0 / static_cast<double>(region_sizes_[defect_[defects].region]);
      }
      const double rate = static_cast<double>(false_positives) / normal_pixels;
      const double overlap = std::min(1.0, overlap_sum / region_count);
      if (rate > limit) {
        const double at_limit = last_overlap + (overlap - last_overlap) * (limit - last_rate) / (rate - last_rate);
        return (area + 0.5 * (last_overlap + at_limit) * (limit - last_rate)) / limit;
      }
      area += 0.5 * (last_overlap + overlap) * (rate - last_rate);
      last_rate = rate;
      last_overlap = overlap;
    }
    return area / limit;
  }

 private:
  struct DefectPixel {
    float score;
    std::uint32_t region;
  };

  /// Moves all pixels that score at least the returned score to the front, sorted from the highest. Pixels beyond the
  /// step that crosses the limit do not count, so two thirds of the pixels need no sorting.
  float sort_down_to(double limit) {
    const auto descending = std::greater<>{};
    const auto crossing = static_cast<std::size_t>(limit * static_cast<double>(normal_.size()));
    float lowest = -std::numeric_limits<float>::infinity();
    // One pixel more than the product says, because it is rounded, and the crossing step must not be cut off.
    if (crossing + 1 < normal_.size()) {
      const auto nth = normal_.begin() + static_cast<std::ptrdiff_t>(crossing + 1);
      std::ranges::nth_element(normal_, nth, descending);
      lowest = *nth;
    }
    const auto normal_end = std::partition(normal_.begin(), normal_.end(), [&](float s) { return s >= lowest; });
    std::sort(normal_.begin(), normal_end, descending);
    const auto defect_end =
        std::partition(defect_.begin(), defect_.end(), [&](const DefectPixel& p) { return p.score >= lowest; });
    // Sort by region within a score, so that the sum does not depend on the order of the pixels.
    std::sort(defect_.begin(), defect_end, [](const DefectPixel& a, const DefectPixel& b) {
      return a.score > b.score || (!(a.score < b.score) && a.region < b.region);
    });
    return lowest;
  }

  std::vector<float> normal_;
  std::vector<DefectPixel> defect_;
  std::vector<std::size_t> region_sizes_;
};

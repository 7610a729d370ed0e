/// The pixel scores of a test set in a fixed amount of memory, with everything that the pixel metrics need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "adtr/core/abi.hpp"
#include "adtr/core/error.hpp"
#include "adtr/metrics/ranking.hpp"
#include "adtr/metrics/regions.hpp"
#include "adtr/metrics/score_histogram.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// A sum of shares 1 / region size in units of 2⁻⁶², which is the same in whatever order it is taken. A share is off by
/// at most half a unit.
struct ShareSum {
  [[nodiscard]] static ShareSum of_region(std::uint32_t pixels) {
    return {((std::uint64_t{1} << 62U) + pixels / 2) / pixels, 0};
  }
  ShareSum& operator+=(const ShareSum& more) {
    units += more.units;
    overflows += more.overflows + (units < more.units ? 1U : 0U);
    return *this;
  }
  [[nodiscard]] double value() const { return 4.0 * overflows + static_cast<double>(units) * 0x1p-62; }

  std::uint64_t units = 0;
  std::uint32_t overflows = 0;  ///< of 64 bits of units, 4 shares of 1
};

/// Tag 0 means a normal pixel; any other tag means a defect pixel in a region of that many pixels.
struct PixelCount {
  PixelCount() = default;
  explicit PixelCount(std::uint32_t region_pixels) {
    if (region_pixels == 0) {
      normal = 1;
    } else {
      defect = 1;
      shares = ShareSum::of_region(region_pixels);
    }
  }
  PixelCount& operator+=(const PixelCount& more) {
    normal += more.normal;
    defect += more.defect;
    shares += more.shares;
    return *this;
  }
  std::uint64_t normal = 0, defect = 0;
  ShareSum shares;
};

}  // namespace detail

/// Collects score maps and masks image by image: see pixel_figures.hpp for what is computed from it. It keeps every
/// distinct score as long as there are at most `most`; from then on it keeps bins, each finer than 2⁻¹⁵ of its scores
/// where they span five octaves. Takes at most 48 bytes a bin, 12 MiB by default, however many images come.
class PixelHistogram {
 public:
  using Bin = detail::SparseHistogram<detail::PixelCount>::Bin;

  explicit PixelHistogram(std::size_t most = std::size_t{1} << 18U) : histogram_(most) {}

  /// A score map (H, W) and its mask (H, W), values other than 0 being defects; an empty mask has none. Throws Error
  /// (shape) on other sizes and (bad_data) on NaN; the image is not counted then.
  void add(std::span<const float> scores, std::span<const std::uint8_t> mask, std::size_t height, std::size_t width) {
    if (scores.size() != height * width || scores.size() > (std::numeric_limits<std::uint32_t>::max)()) {
      throw Error("score map: expected " + std::to_string(height) + "×" + std::to_string(width) + " pixels, found " +
                      std::to_string(scores.size()),
                  ErrorCode::shape);
    }
    detail::require_no_nan(scores);
    if (mask.empty()) {
      for (const float score : scores) histogram_.add(score, 0);
      normal_ += scores.size();
      return;
    }
    const Regions regions = label_regions(mask, height, width);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const std::uint32_t label = regions.labels[i];
      histogram_.add(scores[i], label == 0 ? 0 : static_cast<std::uint32_t>(regions.sizes[label - 1]));
      ++(label == 0 ? normal_ : defect_);
    }
    regions_ += regions.sizes.size();
  }

  [[nodiscard]] std::uint64_t regions() const { return regions_; }
  [[nodiscard]] std::uint64_t normal_pixels() const { return normal_; }
  [[nodiscard]] std::uint64_t defect_pixels() const { return defect_; }
  /// False if normal or defect pixels are missing: all pixel metrics are NaN then.
  [[nodiscard]] bool has_both_classes() const { return normal_ > 0 && defect_ > 0; }

  /// Bins from the lowest scores to the highest. First merges the scores added last.
  [[nodiscard]] std::span<const Bin> bins() { return histogram_.bins(); }

 private:
  detail::SparseHistogram<detail::PixelCount> histogram_;
  std::uint64_t normal_ = 0, defect_ = 0, regions_ = 0;
};

}  // namespace ADTR_ABI
}  // namespace adtr

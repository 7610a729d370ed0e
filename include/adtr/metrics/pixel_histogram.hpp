/// Stores the pixel scores of a test set in a fixed amount of memory, with everything that the pixel metrics need.
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

/// A sum of shares 1 / region size, in units of 2⁻⁶², so that it does not depend on the order of its terms. The error
/// of a share is at most half a unit.
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
  std::uint32_t overflows = 0;  ///< of the 64 bits of `units`; each is worth 4 shares of 1
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

/// Collects score maps and masks, image by image, for the metrics of pixel_figures.hpp. It keeps every distinct score
/// while there are at most `max_bins` of them. After that it keeps bins; if the scores span five octaves, a bin is
/// narrower than 2⁻¹⁵ of its scores. It takes at most 48 bytes per bin, 12 MiB by default, for any number of images.
class PixelHistogram {
 public:
  using Bin = detail::SparseHistogram<detail::PixelCount>::Bin;

  explicit PixelHistogram(std::size_t max_bins = std::size_t{1} << 18U) : histogram_(max_bins) {}

  /// Adds a score map (H, W) with its mask (H, W). Mask values other than 0 mark defects; an empty mask marks none.
  /// Throws Error (shape) if a size differs and (bad_data) on NaN. The image is then not counted.
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
  /// False if normal or defect pixels are missing. All pixel metrics are then NaN.
  [[nodiscard]] bool has_both_classes() const { return normal_ > 0 && defect_ > 0; }

  /// Merges the scores that were added last, then returns the bins from the lowest scores to the highest.
  [[nodiscard]] std::span<const Bin> bins() { return histogram_.bins(); }

 private:
  detail::SparseHistogram<detail::PixelCount> histogram_;
  std::uint64_t normal_ = 0, defect_ = 0, regions_ = 0;
};

}  // namespace ADTR_ABI
}  // namespace adtr

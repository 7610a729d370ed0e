/// Computes the pixel metrics of a test set from a histogram, each with a bound on its error.
///
/// Bins are in order, so at their ends the counts of true and false positives are exact. Inside a bin with several
/// scores the order of the pixels is unknown, and each figure has a bound, computed from the bins, on how much that can
/// change it. If there are no more distinct scores than bins, every bound is 0. For 5,000 maps of 256×256 pixels the
/// largest bound was 1.5·10⁻⁵. Bounds do not include the rounding of sums, which is below 10⁻¹².
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "adtr/core/abi.hpp"
#include "adtr/core/error.hpp"
#include "adtr/core/number_text.hpp"
#include "adtr/metrics/pixel_histogram.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// A figure and the bound on its error: |value − exact| ≤ bound. Both are NaN if the figure does not exist.
struct Bounded {
  double value;
  double bound;
};

namespace detail {

inline constexpr Bounded no_figure{std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};

/// Calls visit(bin, true positives above it, false positives above it) from the highest scores to the lowest.
template <class Visit>
void for_each_bin(PixelHistogram& pixels, Visit visit) {
  std::uint64_t true_positives = 0;
  std::uint64_t false_positives = 0;
  const std::span<const PixelHistogram::Bin> bins = pixels.bins();
  for (auto bin = bins.rbegin(); bin != bins.rend(); ++bin) {
    visit(*bin, true_positives, false_positives);
    true_positives += bin->count.defect;
    false_positives += bin->count.normal;
  }
}

/// The share of true positives among all flagged pixels; 1 if none is flagged.
inline double precision(double true_positives, double false_positives) {
  const double flagged = true_positives + false_positives;
  return flagged > 0.0 ? true_positives / flagged : 1.0;
}

}  // namespace detail

/// The area under the ROC curve, like auroc() of a Ranking. A pair of a defect pixel and a normal pixel in one bin
/// counts half, so the bound is half of the share of such pairs.
[[nodiscard]] inline Bounded auroc(PixelHistogram& pixels) {
  if (!pixels.has_both_classes()) return detail::no_figure;
  // With its mantissa of 64 bits, sums of integers are exact up to 6·10⁹ pixels, and rounded beyond.
  long double twice_area = 0;
  long double twice_unknown = 0;
  detail::for_each_bin(pixels, [&](const PixelHistogram::Bin& bin, std::uint64_t true_positives, std::uint64_t) {
    const auto normal = static_cast<long double>(bin.count.normal);
    const auto defect = static_cast<long double>(bin.count.defect);
    twice_area += normal * (2 * static_cast<long double>(true_positives) + defect);
    if (!bin.single()) twice_unknown += normal * defect;
  });
  const long double twice_pairs =
      2 * static_cast<long double>(pixels.normal_pixels()) * static_cast<long double>(pixels.defect_pixels());
  return {static_cast<double>(twice_area / twice_pairs), static_cast<double>(twice_unknown / twice_pairs)};
}

/// Σ (R_i − R_{i−1}) P_i over distinct scores, like average_precision() of a Ranking. In a bin, the precision at a
/// defect pixel is lowest if all normal pixels of the bin come first, and highest if all defect pixels come first. The
/// value is the middle between the two.
[[nodiscard]] inline Bounded average_precision(PixelHistogram& pixels) {
  if (!pixels.has_both_classes()) return detail::no_figure;
  double sum = 0;
  double unknown = 0;
  detail::for_each_bin(pixels, [&](const PixelHistogram::Bin& bin, std::uint64_t above, std::uint64_t false_above) {
    if (bin.count.defect == 0) return;
    const auto defect = static_cast<double>(bin.count.defect);
    const auto last = static_cast<double>(above + bin.count.defect);
    const auto all_false = static_cast<double>(false_above + bin.count.normal);
    double highest = detail::precision(last, all_false);
    double lowest = highest;
    if (!bin.single()) {
      highest = detail::precision(last, static_cast<double>(false_above));
      // (above + i) / (above + i + all_false) is concave in i: its mean is at least that of the two ends.
      lowest = 0.5 * (lowest + detail::precision(static_cast<double>(above + 1), all_false));
    }
    sum += defect * 0.5 * (highest + lowest);
    unknown += defect * 0.5 * (highest - lowest);
  });
  const auto defects = static_cast<double>(pixels.defect_pixels());
  return {sum / defects, unknown / defects};
}

struct BoundedF1 {
  double value;      ///< 2·TP / (2·TP + FP + FN) at the threshold, exactly
  double bound;      ///< the highest F1 is at most value + bound
  double threshold;  ///< score ≥ threshold is anomalous
};

/// The highest F1 among thresholds at the ends of bins; f1_max() of a Ranking considers every score.
[[nodiscard]] inline BoundedF1 f1_max(PixelHistogram& pixels) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  if (!pixels.has_both_classes()) return {nan, nan, nan};
  BoundedF1 best{0.0, 0.0, nan};
  double highest = 0.0;
  const std::uint64_t defects = pixels.defect_pixels();
  const auto f1 = [&](std::uint64_t true_positives, std::uint64_t false_positives) {
    return 2.0 * static_cast<double>(true_positives) / static_cast<double>(true_positives + false_positives + defects);
  };
  detail::for_each_bin(pixels, [&](const PixelHistogram::Bin& bin, std::uint64_t above, std::uint64_t false_above) {
    const double at_end = f1(above + bin.count.defect, false_above + bin.count.normal);
    if (at_end > best.value) {
      best.value = at_end;
      best.threshold = static_cast<double>(detail::score_of(bin.lowest));
    }
    highest = (std::max)(highest, bin.single() ? at_end : f1(above + bin.count.defect, false_above));
  });
  best.bound = highest - best.value;
  return best;
}

/// AUPRO: the area under the per-region-overlap curve up to the false-positive rate `limit`, divided by `limit`. PRO at
/// a threshold is the mean, over all 8-connected defect regions of the set, of the share of the region's pixels that
/// score ≥ threshold, so a small region counts as much as a large one. The false-positive rate is the rate over all
/// normal pixels, including those of defect images. The curve starts at (0, 0), has one point for each distinct score,
/// and is cut at the limit by linear interpolation (Bergmann et al., "The MVTec Anomaly Detection Dataset", IJCV 2021).
/// Between the two ends of a bin the curve stays in the rectangle that they span; the bound is the area between the
/// straight line and the farther sides of that rectangle. Throws Error (option) if the limit is outside (0, 1].
[[nodiscard]] inline Bounded aupro(PixelHistogram& pixels, double limit = 0.3) {
  if (!(limit > 0.0 && limit <= 1.0))
    throw Error("AUPRO limit: expected more than 0 and at most 1, found " + number_text(limit), ErrorCode::option);
  if (!pixels.has_both_classes()) return detail::no_figure;
  const auto normal_pixels = static_cast<double>(pixels.normal_pixels());
  const auto regions = static_cast<double>(pixels.regions());
  detail::ShareSum shares;
  double area = 0;
  double unknown = 0;
  double last_rate = 0;
  double last_overlap = 0;
  bool cut = false;
  detail::for_each_bin(pixels, [&](const PixelHistogram::Bin& bin, std::uint64_t, std::uint64_t false_above) {
    if (cut) return;
    shares += bin.count.shares;
    const double rate = static_cast<double>(false_above + bin.count.normal) / normal_pixels;
    const double overlap = (std::min)(1.0, shares.value() / regions);
    cut = rate > limit;
    const double end = cut ? limit : rate;
    const double width = end - last_rate;
    const double at_end = cut ? last_overlap + (overlap - last_overlap) * width / (rate - last_rate) : overlap;
    area += 0.5 * (last_overlap + at_end) * width;
    // The lower side of the rectangle lies below the line and the upper one above it. At the cut, the upper one is
    // farther away.
    if (!bin.single()) unknown += width * (std::max)(0.0, overlap - 0.5 * (last_overlap + at_end));
    last_rate = end;
    last_overlap = at_end;
  });
  return {area / limit, unknown / limit};
}

}  // namespace ADTR_ABI
}  // namespace adtr

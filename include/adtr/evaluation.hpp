/// The result of an evaluation, and how it is computed image by image.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adtr/data/folder.hpp"
#include "adtr/detector.hpp"
#include "adtr/metrics/pixel_figures.hpp"
#include "adtr/metrics/precision_recall.hpp"
#include "adtr/metrics/roc.hpp"
#include "adtr/report/heat_map.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// A file of a test set that could not be read, and why.
struct UnreadableFile {
  std::filesystem::path path;
  std::string sentence;  ///< names the path
};

/// Figures of a test set, computed from the images that could be read. A figure that cannot be computed is absent, and
/// `reasons` says why; `reasons` also says what the figures leave out.
struct Evaluation {
  std::optional<double> image_auroc, image_ap, image_f1_max;
  std::optional<double> pixel_auroc, pixel_ap, pixel_f1_max, aupro;
  double pixel_bound = 0.0;  ///< largest error of the pixel figures; 0 up to 2¹⁸ distinct pixel scores
  Index resolution = 0;      ///< side of the maps and masks behind the pixel figures
  Index images_good = 0, images_defective = 0;  ///< images that were judged, by folder
  Index pixel_images = 0;                       ///< judged images that the pixel figures include
  double seconds_per_image = 0.0;               ///< detection only, without reading files
  std::vector<UnreadableFile> unreadable;       ///< images that were not judged, and masks; none counts as passed
  Index soft_masks = 0;                         ///< masks with more than two values, which were thresholded
  Index turned = 0;                             ///< images whose orientation tag was applied
  std::optional<HeatScale> scale;               ///< one scale for all heat maps of the set; absent without good images
  std::vector<std::string> reasons;
};

namespace detail {

/// Collects the results of the images and computes the figures. Keeps one score per image and histograms, but no maps.
class FigureMaker {
 public:
  explicit FigureMaker(Index resolution) : side_(static_cast<std::size_t>(resolution)) {}

  /// `mask`: at the map's size, empty if the sample has no readable mask. `contradicted`: the sample's mask was dropped
  /// because it contradicts the folder.
  void add(const Sample& sample, const Detection& detection, const std::optional<Mask>& mask, bool contradicted) {
    const bool defective = sample.defective;
    scores_.push_back(detection.score);
    labels_.push_back(defective ? 1 : 0);
    const std::span<const float> map(detection.map.data(), side_ * side_);
    // Neighbouring pixels are nearly equal: every sixteenth is enough for quantiles.
    ScoreHistogram& of_kind = defective ? of_defective_ : of_good_;
    for (std::size_t i = 0; i < map.size(); i += 16) of_kind.add(map[i]);

    if (contradicted) {
      ++contradictions_;
    } else if (sample.mask && !mask) {
      ++unreadable_masks_;
    } else if (defective && !mask) {
      ++without_mask_;
    } else if (!defective) {
      pixels_.add(map, {}, side_, side_);
      ++pixel_images_;
    } else {
      pixels_.add(map, mask->data, side_, side_);
      ++pixel_images_;
      if (!mask->defective()) ++lost_marks_;
    }
  }

  void finish(Evaluation& result) {
    const auto defective = static_cast<std::size_t>(std::count(labels_.begin(), labels_.end(), 1));
    result.images_defective = static_cast<Index>(defective);
    result.images_good = static_cast<Index>(labels_.size() - defective);
    result.pixel_images = static_cast<Index>(pixel_images_);
    if (!of_good_.empty() && of_good_.finite() && of_defective_.finite())
      result.scale = heat_scale(of_good_, of_defective_);
    image_figures(result);
    pixel_figures(result);
  }

 private:
  static std::optional<double> figure(double value) { return std::isnan(value) ? std::nullopt : std::optional(value); }

  void image_figures(Evaluation& result) const {
    if (result.images_good == 0 || result.images_defective == 0) {
      result.reasons.push_back(result.images_good == 0 ? "image figures need good images; the test set has none"
                                                       : "image figures need defective images; the test set has none");
      return;
    }
    const Ranking ranking{std::span<const double>(scores_), labels_};
    result.image_auroc = figure(auroc(ranking));
    result.image_ap = figure(average_precision(ranking));
    result.image_f1_max = figure(f1_max(ranking).value);
  }

  void pixel_figures(Evaluation& result) {
    if (without_mask_ > 0) {
      result.reasons.push_back("pixel figures need a mask for each defective image; " + std::to_string(without_mask_) +
                               " of " + std::to_string(result.images_defective) + " have none");
      return;
    }
    const auto left_out = [&](std::size_t count, const char* why) {
      if (count > 0) result.reasons.push_back("pixel figures leave out " + images_text(count) + " " + why);
    };
    left_out(contradictions_, "whose mask contradicts the folder");
    left_out(unreadable_masks_, "whose mask cannot be read");
    if (pixels_.regions() == 0) {
      result.reasons.push_back("pixel figures need masks with defects; the test set has none");
      return;
    }
    if (lost_marks_ > 0)
      result.reasons.push_back("pixel figures miss the defects of " + images_text(lost_marks_) +
                               ", which are smaller than a pixel of the map");
    const Bounded area = auroc(pixels_), precision = average_precision(pixels_), overlap = aupro(pixels_);
    const BoundedF1 f1 = f1_max(pixels_);
    result.pixel_auroc = figure(area.value);
    result.pixel_ap = figure(precision.value);
    result.pixel_f1_max = figure(f1.value);
    result.aupro = figure(overlap.value);
    if (result.pixel_auroc) result.pixel_bound = (std::max)({area.bound, precision.bound, f1.bound, overlap.bound});
  }

  std::size_t side_;
  std::vector<double> scores_;
  std::vector<std::uint8_t> labels_;
  PixelHistogram pixels_;
  ScoreHistogram of_good_, of_defective_;
  std::size_t pixel_images_ = 0, without_mask_ = 0, unreadable_masks_ = 0, contradictions_ = 0, lost_marks_ = 0;
};

}  // namespace detail

}  // namespace ADTR_ABI
}  // namespace adtr

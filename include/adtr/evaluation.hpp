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
#include <string_view>
#include <vector>

#include "adtr/data/folder.hpp"
#include "adtr/detector.hpp"
#include "adtr/metrics/metric_list.hpp"
#include "adtr/report/heat_map.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// A file of a test set that could not be read, and why.
struct UnreadableFile {
  std::filesystem::path path;
  std::string sentence;  ///< names the path
};

/// The value of one metric.
struct Figure {
  std::string key, title;  ///< see ImageMetric
  bool of_pixels;
  std::optional<double> value;  ///< absent if it cannot be computed
};

/// Figures of a test set, computed from the images that could be read. If a figure cannot be computed, `reasons` says
/// why; `reasons` also says what the figures leave out.
struct Evaluation {
  /// One for each metric: those of the images, then those of the pixels, in the order of the list.
  std::vector<Figure> figures;
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

  /// The figure of the metric `key`, for example "image_auroc" or "aupro" (default_metrics()). Throws Error (option) if
  /// no such metric was computed.
  [[nodiscard]] std::optional<double> value(std::string_view key) const {
    std::string keys;
    for (const Figure& figure : figures) {
      if (figure.key == key) return figure.value;
      keys.append(keys.empty() ? "" : ", ").append(figure.key);
    }
    throw Error("Evaluation::value: expected one of the metrics " + (keys.empty() ? "(none)" : keys) + ", found " +
                    std::string(key),
                ErrorCode::option);
  }
};

namespace detail {

/// Collects the results of the images and computes the figures. Keeps one score per image and histograms, but no maps.
class FigureMaker {
 public:
  FigureMaker(Index resolution, const MetricList& metrics)
      : side_(static_cast<std::size_t>(resolution)), metrics_(metrics) {}

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
      if (!mask->defective()) ++vanished_masks_;
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
    const bool exist = result.images_good > 0 && result.images_defective > 0;
    if (!exist)
      result.reasons.push_back(result.images_good == 0 ? "image figures need good images; the test set has none"
                                                       : "image figures need defective images; the test set has none");
    const Ranking ranking{std::span<const double>(scores_), labels_};
    for (const ImageMetric& metric : metrics_.image)
      result.figures.push_back({metric.key, metric.title, false, exist ? figure(metric.value(ranking)) : std::nullopt});
  }

  void pixel_figures(Evaluation& result) {
    const bool exist = has_pixel_figures(result);
    for (const PixelMetric& metric : metrics_.pixel) {
      Figure& shown = result.figures.emplace_back(Figure{metric.key, metric.title, true, std::nullopt});
      if (!exist) continue;
      const Bounded bounded = metric.value(pixels_);
      shown.value = figure(bounded.value);
      if (shown.value) result.pixel_bound = (std::max)(result.pixel_bound, bounded.bound);
    }
  }

  /// Whether there are figures of the pixels, and the reasons for what they lack.
  bool has_pixel_figures(Evaluation& result) const {
    if (without_mask_ > 0) {
      result.reasons.push_back("pixel figures need a mask for each defective image; " + std::to_string(without_mask_) +
                               " of " + std::to_string(result.images_defective) + " have none");
      return false;
    }
    const auto left_out = [&](std::size_t count, const char* why) {
      if (count > 0) result.reasons.push_back("pixel figures leave out " + images_text(count) + " " + why);
    };
    left_out(contradictions_, "whose mask contradicts the folder");
    left_out(unreadable_masks_, "whose mask cannot be read");
    if (pixels_.regions() == 0) {
      result.reasons.push_back("pixel figures need masks with defects; the test set has none");
      return false;
    }
    if (vanished_masks_ > 0)
      result.reasons.push_back("pixel figures miss the defects of " + images_text(vanished_masks_) +
                               ", which are smaller than a pixel of the map");
    return true;
  }

  std::size_t side_;
  const MetricList& metrics_;
  std::vector<double> scores_;
  std::vector<std::uint8_t> labels_;
  PixelHistogram pixels_;
  ScoreHistogram of_good_, of_defective_;
  std::size_t pixel_images_ = 0, without_mask_ = 0, unreadable_masks_ = 0, contradictions_ = 0;
  std::size_t vanished_masks_ = 0;  ///< images whose defects are smaller than a pixel of the map
};

}  // namespace detail

}  // namespace ADTR_ABI
}  // namespace adtr

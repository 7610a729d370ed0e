/// Runs a detector over a test set and measures it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "adtr/data/folder.hpp"
#include "adtr/detector.hpp"
#include "adtr/metrics/pixel_figures.hpp"
#include "adtr/metrics/precision_recall.hpp"
#include "adtr/metrics/roc.hpp"
#include "adtr/report/heat_map.hpp"

namespace adtr::inline ADTR_ABI {

/// A file of a test set that could not be read, and why.
struct UnreadableFile {
  std::filesystem::path path;
  std::string sentence;  ///< names the path
};

/// Figures of a test set, from the images that could be read. One that cannot be computed is absent, and `reasons` says
/// why; it also says what the figures leave out.
struct Evaluation {
  std::optional<double> image_auroc, image_ap, image_f1_max;
  std::optional<double> pixel_auroc, pixel_ap, pixel_f1_max, aupro;
  double pixel_bound = 0.0;  ///< no pixel figure is farther from the exact one; 0 up to 2¹⁸ distinct pixel scores
  Index resolution = 0;      ///< side of the maps and masks that the pixel figures are from
  Index images_good = 0, images_defective = 0;  ///< that were judged, by their folder
  Index pixel_images = 0;                       ///< of those, whose pixels the pixel figures are from
  double seconds_per_image = 0.0;               ///< detection alone, without reading files
  std::vector<UnreadableFile> unreadable;       ///< images, which were not judged, and masks; none is a pass
  Index soft_masks = 0;                         ///< masks of more than two values, which were thresholded
  Index turned = 0;                             ///< images whose orientation tag was applied
  std::optional<HeatScale> scale;               ///< for all heat maps of the set; absent without good images
  std::vector<std::string> reasons;
};

/// One image of a test set with what came of it, handed to the caller as soon as it is known.
struct EvaluatedImage {
  const Sample& sample;
  const Detection& detection;
  const Image& resized;  ///< what the map lies over
  const Mask* mask;      ///< at the map's size; null where the image has none that can be read
  bool defective;        ///< by its folder, whatever its mask says
};

namespace detail {

/// What a file's header says of the image in it: its size as it is read, upright.
struct SampleHeader {
  Index height = 0, width = 0;
  int orientation = 1;
};

/// Throws Error as read_image() would where the file cannot be an image. TODO(lead): read_image_header().
inline SampleHeader read_sample_header(const std::filesystem::path& path) {
  const auto bytes = read_bytes(path);
  const ImageFormat format = check_format(bytes, path.string());
  return {static_cast<Index>(format.height), static_cast<Index>(format.width), 1};
}

/// Whether a mask was thresholded. TODO(lead): mask.soft, once Mask has it.
template <class AnyMask>
bool is_soft(const AnyMask& mask) {
  if constexpr (requires { mask.soft; })
    return mask.soft;
  else
    return false;
}

/// A sample whose image can be read as far as its header tells.
struct ReadableSample {
  const Sample* sample;
  bool mask;    ///< whether it has a mask that can be read
  bool turned;  ///< whether its orientation tag will be applied
};

/// Reads the header of every image and mask, so that hours of work do not end at a file of which the first bytes tell
/// all. Files that cannot be read go to `unreadable`. Throws Error (shape) where a mask has another size than its
/// image.
inline std::vector<ReadableSample> check_headers(std::span<const Sample> samples,
                                                 std::vector<UnreadableFile>& unreadable) {
  std::vector<ReadableSample> readable;
  const auto header_of = [&](const std::filesystem::path& path) -> std::optional<SampleHeader> {
    try {
      return read_sample_header(path);
    } catch (const Error& error) {
      unreadable.push_back({path, error.what()});
      return std::nullopt;
    }
  };
  for (const Sample& sample : samples) {
    const std::optional<SampleHeader> image =
        sample.image ? SampleHeader{sample.image->height, sample.image->width} : header_of(sample.path);
    if (!image) continue;
    const std::optional<SampleHeader> mask = sample.mask ? header_of(*sample.mask) : std::nullopt;
    if (mask && (mask->height != image->height || mask->width != image->width)) {
      const auto size = [](const SampleHeader& h) { return std::to_string(h.height) + "x" + std::to_string(h.width); };
      throw file_error(
          sample.mask->string(),
          "mask of " + size(*mask) + " pixels, expected " + size(*image) + " as its image " + sample.path.string(),
          ErrorCode::shape);
    }
    readable.push_back({&sample, mask.has_value(), image->orientation > 1});
  }
  return readable;
}

inline std::string images_text(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " image" : " images");
}

/// Takes in what came of each image, and computes the figures from it: in memory that does not grow with the maps.
class FigureMaker {
 public:
  explicit FigureMaker(Index resolution) : side_(static_cast<std::size_t>(resolution)) {}

  /// `truth`: the mask at full size, where the sample has one that can be read; `mask`: the same at the map's size.
  void add(const ReadableSample& readable, const Detection& detection, const std::optional<Mask>& truth,
           const std::optional<Mask>& mask) {
    const bool defective = readable.sample->defective;
    scores_.push_back(detection.score);
    labels_.push_back(defective ? 1 : 0);
    const std::span<const float> map(detection.map.data(), side_ * side_);
    // Neighbouring pixels say the same: every sixteenth is enough for quantiles.
    ScoreHistogram& of_kind = defective ? of_defective_ : of_good_;
    for (std::size_t i = 0; i < map.size(); i += 16) of_kind.add(map[i]);

    if (truth && truth->defective() != defective) {
      ++contradictions_;
    } else if (readable.sample->mask && !truth) {
      ++unreadable_masks_;
    } else if (defective && !truth) {
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
    if (result.pixel_auroc) result.pixel_bound = std::max({area.bound, precision.bound, f1.bound, overlap.bound});
  }

  std::size_t side_;
  std::vector<double> scores_;
  std::vector<std::uint8_t> labels_;
  PixelHistogram pixels_;
  ScoreHistogram of_good_, of_defective_;
  std::size_t pixel_images_ = 0, without_mask_ = 0, unreadable_masks_ = 0, contradictions_ = 0, lost_marks_ = 0;
};

}  // namespace detail

/// Scores every sample and computes the figures of method.md section 5. The folder says which images are defective;
/// pixels of all images are pooled; masks are resized by the nearest neighbour. An image whose mask contradicts its
/// folder is left out of the pixel figures. The headers of all files are read first. An image that cannot be read is
/// named in `unreadable`, not judged, and no part of any figure, and the others are judged. Throws Error naming the
/// file: shape where a mask has another size than its image (before any image is scored), bad_weights where a score is
/// not finite. Memory grows by a few dozen bytes an image.
template <class AnyDetector, class OnImage>
[[nodiscard]] Evaluation evaluate(AnyDetector& detector, std::span<const Sample> samples, OnImage&& on_image) {
  using Clock = std::chrono::steady_clock;
  Evaluation result;
  result.resolution = detector.description().image_size;
  // TODO(lead): check_labels(set, options) here, before any header is read.
  const std::vector<detail::ReadableSample> readable = detail::check_headers(samples, result.unreadable);
  detail::FigureMaker figures(result.resolution);
  double seconds = 0.0;
  std::size_t judged = 0;
  Detection detection;
  for (detail::ReadableSample entry : readable) {
    const Sample& sample = *entry.sample;
    const auto read = [&](const std::filesystem::path& path, auto reading) -> decltype(std::optional(reading())) {
      try {
        return reading();
      } catch (const Error& error) {
        result.unreadable.push_back({path, error.what()});
        return std::nullopt;
      }
    };
    const std::optional<Image> image = read(sample.path, [&] { return read_image(sample); });
    if (!image) continue;
    std::optional<Mask> truth, mask;
    if (entry.mask) truth = read(*sample.mask, [&] { return read_sample_mask(sample, image->height, image->width); });
    if (truth) mask = resize_nearest(*truth, result.resolution, result.resolution);
    try {
      const auto begin = Clock::now();
      detector.detect(*image, detection);
      seconds += std::chrono::duration<double>(Clock::now() - begin).count();
      if (!std::isfinite(detection.score))
        throw Error("its score is no finite number: the model is damaged", ErrorCode::bad_weights);
      figures.add(entry, detection, truth, mask);
    } catch (const Error& error) {
      throw file_error(sample.path.string(), error.what(), error.code());
    }
    ++judged;
    result.soft_masks += truth && detail::is_soft(*truth) ? 1 : 0;
    result.turned += entry.turned ? 1 : 0;
    on_image(EvaluatedImage{sample, detection, detector.resized(), mask ? &*mask : nullptr, sample.defective});
  }
  result.seconds_per_image = judged == 0 ? 0.0 : seconds / static_cast<double>(judged);
  if (judged < samples.size())
    result.reasons.push_back("all figures are from " + std::to_string(judged) + " of " +
                             detail::images_text(samples.size()) + "; the others could not be read");
  figures.finish(result);
  return result;
}

}  // namespace adtr::inline ADTR_ABI

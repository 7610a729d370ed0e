/// Runs a detector over a test set and measures it.
#pragma once

#include <chrono>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adtr/data/folder.hpp"
#include "adtr/detector.hpp"
#include "adtr/metrics/aupro.hpp"
#include "adtr/metrics/precision_recall.hpp"
#include "adtr/metrics/roc.hpp"

namespace adtr::inline ADTR_ABI {

/// Figures of a test set. One that cannot be computed is absent, and `reasons` says why.
struct Evaluation {
  std::optional<double> image_auroc, image_ap, image_f1_max;
  std::optional<double> pixel_auroc, pixel_ap, pixel_f1_max, aupro;
  Index resolution = 0;  ///< side of the maps and masks that the pixel figures are from
  Index images_good = 0, images_defective = 0;
  double seconds_per_image = 0.0;  ///< detection alone, without reading files
  std::vector<std::string> reasons;
};

/// One image of a test set with what came of it, handed to the caller as soon as it is known.
struct EvaluatedImage {
  const Sample& sample;
  const Detection& detection;
  const Image& resized;  ///< what the map lies over
  const Mask* mask;      ///< at the map's size; null where the image has none
  bool defective;        ///< by its mask where there is one, else by its folder
};

/// Scores every sample and computes the figures of method.md section 5: an image is defective where its mask has a
/// pixel above 0; pixels of all images are pooled; masks are resized by the nearest neighbour. Throws Error on an
/// unreadable image or mask.
template <class AnyDetector, class OnImage>
[[nodiscard]] Evaluation evaluate(AnyDetector& detector, std::span<const Sample> samples, OnImage&& on_image) {
  using Clock = std::chrono::steady_clock;
  Evaluation result;
  result.resolution = detector.description().image_size;
  const auto side = static_cast<std::size_t>(result.resolution);
  std::vector<double> scores;
  std::vector<std::uint8_t> labels, pixel_labels;
  std::vector<float> pixel_scores;
  Aupro pro;
  std::size_t without_mask = 0;
  double seconds = 0.0;
  Detection detection;
  for (const Sample& sample : samples) {
    const Image image = read_image(sample);
    const auto begin = Clock::now();
    detector.detect(image, detection);
    seconds += std::chrono::duration<double>(Clock::now() - begin).count();
    std::optional<Mask> mask;
    bool defective = sample.defective;
    if (sample.mask) {
      const Mask full = read_sample_mask(sample, image.height, image.width);
      defective = full.defective();
      mask = resize_nearest(full, result.resolution, result.resolution);
    }
    scores.push_back(detection.score);
    labels.push_back(defective ? 1 : 0);
    if (defective && !mask) ++without_mask;
    const std::span<const float> map(detection.map.data(), side * side);
    const std::span<const std::uint8_t> truth =
        mask ? std::span<const std::uint8_t>(mask->data) : std::span<const std::uint8_t>();
    pro.add(map, truth, side, side);
    pixel_scores.insert(pixel_scores.end(), map.begin(), map.end());
    if (truth.empty()) pixel_labels.resize(pixel_scores.size(), 0);
    for (const std::uint8_t pixel : truth) pixel_labels.push_back(pixel != 0 ? 1 : 0);
    ++(defective ? result.images_defective : result.images_good);
    on_image(EvaluatedImage{sample, detection, detector.resized(), mask ? &*mask : nullptr, defective});
  }
  result.seconds_per_image = samples.empty() ? 0.0 : seconds / static_cast<double>(samples.size());

  const auto figure = [](double value) { return std::isnan(value) ? std::nullopt : std::optional(value); };
  if (result.images_good == 0 || result.images_defective == 0) {
    result.reasons.push_back(result.images_good == 0 ? "image figures need good images; the test set has none"
                                                     : "image figures need defective images; the test set has none");
  } else {
    const Ranking ranking{std::span<const double>(scores), labels};
    result.image_auroc = figure(auroc(ranking));
    result.image_ap = figure(average_precision(ranking));
    result.image_f1_max = figure(f1_max(ranking).value);
  }
  if (without_mask > 0) {
    result.reasons.push_back("pixel figures need a mask for each defective image; " + std::to_string(without_mask) +
                             " of " + std::to_string(result.images_defective) + " have none");
  } else if (pro.regions() == 0) {
    result.reasons.push_back("pixel figures need masks with defects; the test set has none");
  } else {
    const Ranking ranking{std::span<const float>(pixel_scores), pixel_labels};
    result.pixel_auroc = figure(auroc(ranking));
    result.pixel_ap = figure(average_precision(ranking));
    result.pixel_f1_max = figure(f1_max(ranking).value);
    result.aupro = figure(pro.value());
  }
  return result;
}

}  // namespace adtr::inline ADTR_ABI

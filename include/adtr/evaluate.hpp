/// Runs a detector over a test set and measures it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adtr/data/folder.hpp"
#include "adtr/detector.hpp"
#include "adtr/evaluation.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// One image of a test set with its result, handed to the caller as soon as it is scored.
struct EvaluatedImage {
  const Sample& sample;
  const Detection& detection;
  const Image& resized;  ///< the image over which the map is drawn
  const Mask* mask;      ///< at the map's size; null if the image has no readable mask
  bool defective;        ///< according to its folder, not to its mask
};

namespace detail {

/// A sample whose image has a readable header.
struct ReadableSample {
  const Sample* sample;
  bool mask;          ///< whether it has a mask with a readable header
  bool turned;        ///< whether its orientation tag will be applied
  bool contradicted;  ///< whether its mask was dropped because it contradicts the folder
};

/// Reads the header of every image and mask first, so that hours of work do not end at a file whose first bytes show
/// that it cannot be read. Adds files that cannot be read to `unreadable`. Throws Error (shape) if a mask and its image
/// differ in size.
inline std::vector<ReadableSample> check_headers(std::span<const Sample> samples,
                                                 std::span<const std::size_t> contradicted,
                                                 std::vector<UnreadableFile>& unreadable) {
  std::vector<ReadableSample> readable;
  const auto header_of = [&](const std::filesystem::path& path) -> std::optional<ImageHeader> {
    try {
      return read_image_header(path);
    } catch (const Error& error) {
      unreadable.push_back({path, error.what()});
      return std::nullopt;
    }
  };
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Sample& sample = samples[i];
    const std::optional<ImageHeader> image =
        sample.image ? ImageHeader{"", sample.image->height, sample.image->width, 1} : header_of(sample.path);
    if (!image) continue;
    const std::optional<ImageHeader> mask = sample.mask ? header_of(*sample.mask) : std::nullopt;
    if (mask && (mask->height != image->height || mask->width != image->width)) {
      const auto size = [](const ImageHeader& h) { return std::to_string(h.height) + "x" + std::to_string(h.width); };
      throw file_error(sample.mask->string(),
                       "the mask has " + size(*mask) + " pixels, expected " + size(*image) +
                           ", the size of its image " + sample.path.string(),
                       ErrorCode::shape);
    }
    readable.push_back({&sample, mask.has_value(), image->orientation > 1,
                        std::binary_search(contradicted.begin(), contradicted.end(), i)});
  }
  return readable;
}

}  // namespace detail

/// Scores every sample and computes `metrics`, by default the figures of method.md section 6. The folder decides which
/// images are defective; the pixels of all images are pooled; masks are resized by the nearest neighbour. The masks are
/// read first, see check_labels(): a mask that contradicts its folder stops the evaluation, unless the scan allowed it;
/// then it is listed in `set.allowed` and its image is left out of the pixel figures. The headers of all files are read
/// next. An image that cannot be read is listed in `unreadable` and left out of every figure; the others are judged. A
/// metric that `metrics` cannot express, one of whole maps for example, is computed in `on_image`, which gets each
/// image's label, score, map and mask.
/// Throws Error (option) on a bad list of metrics, and Error naming the file: bad_data if a mask contradicts its
/// folder, shape if a mask and its image differ in size (both before any image is scored), bad_weights if a score is
/// not finite. Memory grows by a few dozen bytes per image.
template <class AnyDetector, class OnImage>
[[nodiscard]] Evaluation evaluate(AnyDetector& detector, SampleSet& set, OnImage&& on_image,
                                  const MetricList& metrics = default_metrics()) {
  using Clock = std::chrono::steady_clock;
  check(metrics);
  const std::vector<std::size_t> contradicted = check_labels(set, {}, [](const Sample&, const Error&) {});
  const std::span<const Sample> samples = set.samples;
  Evaluation result;
  result.resolution = detector.description().image_size;
  const std::vector<detail::ReadableSample> readable = detail::check_headers(samples, contradicted, result.unreadable);
  detail::FigureMaker figures(result.resolution, metrics);
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
        throw Error("its score is not a finite number: the model is damaged", ErrorCode::bad_weights);
      figures.add(sample, detection, mask, entry.contradicted);
    } catch (const Error& error) {
      throw file_error(sample.path.string(), error.what(), error.code());
    }
    ++judged;
    result.soft_masks += truth && truth->soft ? 1 : 0;
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

}  // namespace ADTR_ABI
}  // namespace adtr

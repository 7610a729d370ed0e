/// Reads all images of a run once before any long step, and computes what a resumed run must find unchanged.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "adtr/data/folder.hpp"
#include "adtr/train/run_identity.hpp"
#include "adtr/train/training_request.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

/// Thrown when TrainingProgress::cancelled returns true. Leaves train_model() as an Error(cancelled).
struct Interruption {};

inline void stop_if_cancelled(const TrainingProgress& progress) {
  if (progress.cancelled && progress.cancelled()) throw Interruption{};
}

/// A fingerprint of each image's size and pixels, and counts of the decisions made while reading.
struct ImageFingerprints {
  std::vector<std::uint64_t> good, defects;
  std::size_t turned = 0;      ///< images whose orientation tag was applied
  std::size_t soft_masks = 0;  ///< masks that were thresholded
};

/// Fingerprint of a sequence of numbers.
[[nodiscard]] inline std::uint64_t fingerprint_of(const std::vector<std::uint64_t>& numbers) {
  Fingerprint print;
  for (const std::uint64_t number : numbers) print.add(number);
  return print.value();
}

/// Decodes every image and mask once, so that a run does not fail midway because of a broken file. Throws the Error of
/// the first broken file, Error(bad_data) for a mask that contradicts its image's folder, or Interruption.
inline std::vector<std::uint64_t> read_images(const SampleSet& samples, const TrainingProgress& progress,
                                              ImageFingerprints& decided) {
  std::vector<std::uint64_t> fingerprints;
  SampleSet strict;
  for (const Sample& sample : samples) {
    ImageHeader header;
    const Image image = read_image(sample, &header);
    decided.turned += header.orientation > 1 ? 1 : 0;
    if (sample.mask) {
      const Mask mask = read_sample_mask(sample, image.height, image.width);
      decided.soft_masks += mask.soft ? 1 : 0;
      check_label(strict, sample, mask);
    }
    Fingerprint print;
    print.add(static_cast<std::uint64_t>(image.height));
    print.add(static_cast<std::uint64_t>(image.width));
    print.add(std::span<const std::uint8_t>(image.data));
    fingerprints.push_back(print.value());
    stop_if_cancelled(progress);
  }
  return fingerprints;
}

/// The part of a run's identity that is known before an image is read: its options and the numbers of images.
/// `image_size` and `grid` are the network's.
[[nodiscard]] inline RunIdentity identity_before_images(const TrainingRequest& r, const ModelDescription& d,
                                                        const HoldOut& held) {
  RunIdentity identity = identity_of(r.options);
  identity["pooling"] = name_of(d.pooling);  // of the model that the run continues from, if there is one
  identity["confetti"] = r.confetti ? "with" : "without";
  identity["mirror"] = r.mirror ? "with" : "without";
  identity["architecture"] = std::string(name_of(d.architecture));
  identity["image-size"] = std::to_string(d.image_size);
  identity["grid"] = std::to_string(d.grid);
  identity["good-images"] = std::to_string(r.good.size());
  identity["held-out-images"] = std::to_string(held.images);
  if (held.images > 0) identity["hold-out-seed"] = std::to_string(held.seed);
  if (r.start.empty()) identity["start"] = "none";
  if (r.defects.empty()) identity["defects"] = "none";
  return identity;
}

/// Adds the fingerprints of the images.
inline void add_images(RunIdentity& identity, const ImageFingerprints& images) {
  identity["images"] = std::to_string(fingerprint_of(images.good));
  if (!images.defects.empty()) identity["defects"] = std::to_string(fingerprint_of(images.defects));
}

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr

/// Where a Trainer's batches come from.
#pragma once

#include <cstdint>
#include <span>

#include "adtr/core/extents.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Training images as features. Derive from it to train on images of your own; FeatureCache is the plain case.
template <class T>
class BatchSource {
 public:
  virtual ~BatchSource() = default;

  /// How many images one epoch passes over.
  [[nodiscard]] virtual Index images() const = 0;

  /// Writes the features (images, tokens, channels) of the images with these numbers as training step `step` (from 0,
  /// over all epochs) sees them, and marks anomalous tokens with 1 in `anomalous` (images, tokens), which is 0 before.
  /// For the loss of image labels one marked token makes an image anomalous. What is written must depend on the
  /// arguments alone, so that a resumed run sees the same.
  virtual void fill(std::span<const Index> images, Index step, T* features, std::span<std::uint8_t> anomalous) = 0;

 protected:
  BatchSource() = default;
  BatchSource(const BatchSource&) = default;
  BatchSource& operator=(const BatchSource&) = default;
};

}  // namespace ADTR_ABI
}  // namespace adtr

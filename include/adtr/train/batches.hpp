/// The interface from which a Trainer gets its batches.
#pragma once

#include <cstdint>
#include <span>

#include "adtr/core/extents.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Training images as features. Derive from it to train on your own images; FeatureCache is the simplest
/// implementation.
template <class T>
class BatchSource {
 public:
  virtual ~BatchSource() = default;

  /// Number of images in one epoch.
  [[nodiscard]] virtual Index images() const = 0;

  /// Writes the features (images, tokens, channels) of the images with these indices as training step `step` (from 0,
  /// over all epochs) sees them, and sets anomalous tokens to 1 in `anomalous` (images, tokens), which is 0 before. For
  /// the image-label loss, one anomalous token makes an image anomalous. The output must depend only on the arguments,
  /// so that a resumed run sees the same data.
  virtual void fill(std::span<const Index> images, Index step, T* features, std::span<std::uint8_t> anomalous) = 0;

 protected:
  BatchSource() = default;
  BatchSource(const BatchSource&) = default;
  BatchSource& operator=(const BatchSource&) = default;
};

}  // namespace ADTR_ABI
}  // namespace adtr

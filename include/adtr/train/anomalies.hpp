/// Batches in which anomalous images randomly replace some of the normal ones, drawn anew in every step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "adtr/core/ceil_div.hpp"
#include "adtr/core/random.hpp"
#include "adtr/data/image.hpp"
#include "adtr/train/feature_cache.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// A source of anomalous images.
template <class T>
class AnomalySource {
 public:
  virtual ~AnomalySource() = default;
  /// Writes the features (tokens, channels) of an anomalous image that replaces the normal image `image`, and sets its
  /// anomalous tokens to 1 in `anomalous`, which is 0 before. All random numbers come from `random`.
  virtual void draw(Index image, RandomStream random, T* features, std::span<std::uint8_t> anomalous) = 0;

 protected:
  AnomalySource() = default;
  AnomalySource(const AnomalySource&) = default;
  AnomalySource& operator=(const AnomalySource&) = default;
};

/// Anomalous images with known features; draws one of them uniformly at random. `features` must outlive this object.
/// `anomalous` (images, tokens) is 1 for each anomalous token, and for all tokens of an image if only the image's label
/// is known.
template <class T>
class KnownAnomalies final : public AnomalySource<T> {
 public:
  KnownAnomalies(FeatureCache<T>& features, std::vector<std::uint8_t> anomalous)
      : features_(features), anomalous_(std::move(anomalous)) {}

  void draw(Index /*image*/, RandomStream random, T* features, std::span<std::uint8_t> anomalous) override {
    const std::size_t chosen = random.below(static_cast<std::size_t>(features_.images()));
    const auto image = static_cast<Index>(chosen);
    features_.fill(std::span(&image, 1), 0, features, anomalous);
    std::copy_n(anomalous_.data() + chosen * anomalous.size(), anomalous.size(), anomalous.begin());
  }

 private:
  FeatureCache<T>& features_;
  std::vector<std::uint8_t> anomalous_;
};

/// Replaces each image of a batch with the given probability by an anomalous one, whose source is drawn uniformly.
/// Batches and sources must outlive this object.
template <class T>
class ReplacingBatches final : public BatchSource<T> {
 public:
  /// `size`: number of elements in one image's features, tokens · channels.
  ReplacingBatches(BatchSource<T>& normal, std::vector<AnomalySource<T>*> sources, Index size, double probability,
                   std::uint64_t seed)
      : normal_(normal), sources_(std::move(sources)), size_(size), probability_(probability), seed_(seed) {}

  [[nodiscard]] Index images() const override { return normal_.images(); }

  void fill(std::span<const Index> images, Index step, T* features, std::span<std::uint8_t> anomalous) override {
    normal_.fill(images, step, features, anomalous);
    const std::size_t tokens = anomalous.size() / images.size();
    for (std::size_t i = 0; i < images.size(); ++i) {
      // Each image of each step has its own random stream, apart from the streams of other random choices.
      RandomStream random(
          seed_, anomaly_stream | static_cast<std::uint64_t>(step) << 31 | static_cast<std::uint64_t>(images[i]));
      if (random.uniform() >= probability_) continue;
      AnomalySource<T>& source = *sources_[random.below(sources_.size())];
      source.draw(images[i], random, features + static_cast<Index>(i) * size_, anomalous.subspan(i * tokens, tokens));
    }
  }

 private:
  static constexpr std::uint64_t anomaly_stream = std::uint64_t{1} << 63;

  BatchSource<T>& normal_;
  std::vector<AnomalySource<T>*> sources_;
  Index size_;
  double probability_;
  std::uint64_t seed_;
};

/// Sets `tokens` (grid, grid) to 1 for each token that contains a nonzero pixel of the mask, and to 0 otherwise: the
/// method's maximum.
inline void mark_tokens(const Mask& mask, Index grid, std::span<std::uint8_t> tokens) {
  for (Index y = 0; y < grid; ++y)
    for (Index x = 0; x < grid; ++x) {
      const Index top = y * mask.height / grid, bottom = ceil_div((y + 1) * mask.height, grid);
      const Index left = x * mask.width / grid, right = ceil_div((x + 1) * mask.width, grid);
      bool marked = false;
      for (Index v = top; v < bottom && !marked; ++v) {
        const std::uint8_t* const row = mask.data.data() + v * mask.width;
        marked = std::any_of(row + left, row + right, [](std::uint8_t pixel) { return pixel != 0; });
      }
      tokens[static_cast<std::size_t>(y * grid + x)] = marked ? 1 : 0;
    }
}

}  // namespace ADTR_ABI
}  // namespace adtr

/// Computes features from images, and from images with confetti, in the form that a network trains on.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "adtr/data/confetti.hpp"
#include "adtr/data/folder.hpp"
#include "adtr/detector.hpp"
#include "adtr/train/anomalies.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The frozen half of network N, with preprocessing before it and standardisation after it.
template <class N, Backend B>
class ImageFeatures {
 public:
  using T = typename B::Scalar;
  using Net = typename N::type;
  using Features = typename Net::Features;

  ImageFeatures(const typename B::Context& context, FeatureExtractor<Net, B>&& extractor, const Numerics& numerics)
      : context_(context),
        extractor_(std::move(extractor)),
        preprocess_(N::image_size, numerics),
        input_(Net::Image::size),
        mean_(Features::channels),
        inverse_(Features::channels) {
    const std::vector<T> zeros(static_cast<std::size_t>(Features::channels)), ones(zeros.size(), T{1});
    set_statistics(zeros.data(), ones.data());
  }

  /// Sets the mean and deviation, both (C), that standardise() uses from now on.
  void set_statistics(const T* mean, const T* std) {
    std::vector<T> inverse(static_cast<std::size_t>(Features::channels));
    std::transform(std, std + Features::channels, inverse.begin(), [](T deviation) { return T{1} / deviation; });
    B::upload(context_, mean, Features::channels, mean_.data());
    B::upload(context_, inverse.data(), Features::channels, inverse_.data());
    B::wait(context_);
  }

  /// Writes the features (tokens, channels) of an image as the backbone computes them, not standardised.
  void extract(const Image& image, T* features) { extract(ImageView(image), features); }
  void extract(const ImageView& image, T* features) {
    preprocess_(image, input_.data());
    const T* const image_at = to_device<B>(context_, static_cast<const T*>(input_.data()), Net::Image::size, image_);
    read_back<B>(context_, features, Features::size, features_, [&](T* to) {
      extractor_.extract(map_view<typename Net::Image>(image_at, 1), map_view<Features>(to, 1));
    });
  }

  void standardise(T* features) {
    read_back<B>(context_, features, Features::size, features_, [&](T* to) {
      if (to != features) B::upload(context_, features, Features::size, to);
      B::standardise(context_, map_view<Features>(to, 1), mean_.data(), inverse_.data());
    });
  }

  /// Returns a feature extractor that shares the weights.
  [[nodiscard]] FeatureExtractor<Net, B> share() const { return extractor_.share(); }

  /// The resized image of the last call.
  [[nodiscard]] const Image& resized() const { return preprocess_.resized(); }

 private:
  typename B::Context context_;
  FeatureExtractor<Net, B> extractor_;
  Preprocessor<T> preprocess_;
  Buffer<T> input_;
  typename B::Memory mean_, inverse_;
  typename B::Memory image_, features_;  ///< transfer buffers; empty if the backend works in the host's memory
};

/// The training images with confetti, read and computed anew at every call.
template <class N, Backend B>
class ConfettiAnomalies final : public AnomalySource<typename B::Scalar> {
 public:
  using T = typename B::Scalar;

  /// Both arguments must outlive this object.
  ConfettiAnomalies(ImageFeatures<N, B>& features, const std::vector<Sample>& images)
      : features_(features), images_(images) {}

  /// Throws Error if the image's file can no longer be read.
  void draw(Index image, RandomStream random, T* features, std::span<std::uint8_t> anomalous) override {
    maker_(read_image(images_[static_cast<std::size_t>(image)]), random, with_confetti_, mask_);
    features_.extract(with_confetti_, features);
    features_.standardise(features);
    mark_tokens(mask_, N::grid, anomalous);
  }

 private:
  ImageFeatures<N, B>& features_;
  const std::vector<Sample>& images_;
  ConfettiMaker maker_;
  Image with_confetti_;
  Mask mask_;
};

}  // namespace ADTR_ABI
}  // namespace adtr

/// The run-time face: a model file in, scores and heat maps of images out.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adtr/backend/cpu.hpp"
#include "adtr/data/image_file.hpp"
#include "adtr/data/preprocess.hpp"
#include "adtr/data/resize.hpp"
#include "adtr/models/model.hpp"
#include "adtr/models/score_map.hpp"
#include "adtr/packages/xtensor.hpp"

namespace adtr::inline ADTR_ABI {

/// What a detector says of one image.
struct Detection {
  double score = 0.0;               ///< of the image; larger is more anomalous, no fixed range
  std::optional<double> threshold;  ///< the model's, or the one that was set
  bool anomalous = false;           ///< score ≥ threshold; false without one
  /// (image size, image size), raw scores of the pixels of the resized image; by rows, whatever XTENSOR_DEFAULT_LAYOUT.
  xt::xtensor<float, 2, xt::layout_type::row_major> map;
};

/// The one way from pixels to a network's input: resized as Pillow does it, then normalised as the weights want it.
template <class T>
class Preprocessor {
 public:
  Preprocessor(Index image_size, const Numerics& numerics)
      : resize_(image_size, image_size), numerics_(numerics), pixels_(image_size, image_size) {}

  /// Writes (image_size, image_size, 3) values.
  void operator()(const ImageView& image, T* out) {
    resize_(image, pixels_);
    normalise(pixels_, numerics_.mean, numerics_.std, out);
  }

  /// The resized image that the last call made: what a heat map lies over.
  [[nodiscard]] const Image& resized() const { return pixels_; }

 private:
  Resizer resize_;
  Numerics numerics_;
  Image pixels_;
};

namespace detail {

/// A Model whose network is no longer in its type.
template <Backend B>
struct AnyModel {
  using T = typename B::Scalar;
  virtual ~AnyModel() = default;
  virtual void position_scores(const T* image, std::span<T> scores) = 0;
  virtual void position_scores(const T* image, std::span<T> map, std::span<T> deep) = 0;
  virtual void standardise_scores(std::span<const T> scores, std::span<T> z) const = 0;
  [[nodiscard]] virtual std::unique_ptr<AnyModel> share() const = 0;
};

template <class N, Backend B>
struct ModelOf final : AnyModel<B> {
  using T = typename B::Scalar;
  ModelOf(const SafetensorsFile& file, const typename B::Context& context) : model(file, context) {}
  explicit ModelOf(Model<typename N::type, B> m) : model(std::move(m)) {}
  void position_scores(const T* image, std::span<T> scores) override {
    model.position_scores({image, 1, N::image_size, N::image_size, 3}, scores);
  }
  void position_scores(const T* image, std::span<T> map, std::span<T> deep) override {
    model.position_scores({image, 1, N::image_size, N::image_size, 3}, map, deep);
  }
  void standardise_scores(std::span<const T> scores, std::span<T> z) const override {
    model.standardise_scores(scores, z);
  }
  [[nodiscard]] std::unique_ptr<AnyModel<B>> share() const override { return std::make_unique<ModelOf>(model.share()); }
  Model<typename N::type, B> model;
};

}  // namespace detail

/// Detects anomalies on backend B with any network of `Nets` that a model file asks for.
///
///     auto detector = adtr::Detector<adtr::Cpu>::load("screw.adtr");
///     adtr::Detection d = detector.detect(adtr::read_image("part.png"));
///
/// Not for two threads at a time: make each thread one of its own by share(). Detectors of different models may share a
/// Context, and with it the threads.
template <Backend B = Cpu, class Nets = DefaultNetworks>
class Detector {
 public:
  using Scalar = typename B::Scalar;

  /// Throws Error naming the file where it is no model, or needs a network that `Nets` does not have. `threads`: 0 for
  /// all that the machine has.
  [[nodiscard]] static Detector load(const std::string& path, int threads = 0) {
    return load(path, typename B::Context(threads));
  }
  [[nodiscard]] static Detector load(const std::string& path, const typename B::Context& context) {
    const SafetensorsFile file = SafetensorsFile::open(path);
    const ModelDescription d = read_description(file);
    auto model = [&] {
      try {
        return select_network(Nets{}, d.architecture, d.image_size, d.grid,
                              [&]<class N>() -> std::unique_ptr<detail::AnyModel<B>> {
                                return std::make_unique<detail::ModelOf<N, B>>(file, context);
                              });
      } catch (const NoSuchNetwork& e) {
        throw file_error(path, e.what());
      }
    }();
    return Detector(d, std::move(model));
  }

  Detector(const ModelDescription& description, std::unique_ptr<detail::AnyModel<B>> model)
      : description_(description),
        model_(std::move(model)),
        preprocess_(description.image_size, description.numerics),
        score_map_(description.grid, description.image_size),
        input_(description.image_size * description.image_size * 3),
        scores_(static_cast<std::size_t>(description.grid * description.grid)),
        deep_(scores_.size()),
        map_(static_cast<std::size_t>(description.image_size * description.image_size)) {}

  /// Another detector of the same model and threshold for another thread. Weights and Context are shared, not copied,
  /// and live as long as any of the detectors; it costs only the memory that a detection needs (10 MB for B4, whose
  /// weights take 98). Any number of threads may call this at a time.
  [[nodiscard]] Detector share() const { return Detector(description_, model_->share()); }

  [[nodiscard]] const ModelDescription& description() const { return description_; }

  /// Replaces the model's own threshold, if any, by the user's.
  void set_threshold(std::optional<double> threshold) { description_.threshold = threshold; }

  [[nodiscard]] Detection detect(const ImageView& image) {
    Detection d;
    detect(image, d);
    return d;
  }

  /// The same into a Detection that is used again: allocates nothing when images keep their size.
  void detect(const ImageView& image, Detection& d) {
    preprocess_(image, input_.data());
    const bool norm = description_.scoring == Scoring::norm;
    norm ? model_->position_scores(input_.data(), scores_) : model_->position_scores(input_.data(), scores_, deep_);
    const auto size = static_cast<std::size_t>(description_.image_size);
    if (d.map.shape(0) != size || d.map.shape(1) != size) d.map.resize({size, size});
    score_map_.upsample(scores_, map_);
    std::transform(map_.begin(), map_.end(), d.map.data(), [](Scalar s) { return static_cast<float>(s); });
    if (!norm) {
      model_->standardise_scores(deep_, deep_);
      score_map_.upsample(deep_, map_);
    }
    d.score = score_map_.pooled_maximum(map_);
    d.threshold = description_.threshold;
    d.anomalous = d.threshold && d.score >= *d.threshold;
  }

  /// The image that the last detection saw, resized: what its map lies over.
  [[nodiscard]] const Image& resized() const { return preprocess_.resized(); }

 private:
  ModelDescription description_;
  std::unique_ptr<detail::AnyModel<B>> model_;
  Preprocessor<Scalar> preprocess_;
  ScoreMap<Scalar> score_map_;
  Buffer<Scalar> input_;
  std::vector<Scalar> scores_, deep_, map_;
};

}  // namespace adtr::inline ADTR_ABI

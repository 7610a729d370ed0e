/// A network with its weights on a backend: images in, reconstructions and scores out.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <functional>
#include <memory>
#include <type_traits>

#include "adtr/models/description.hpp"
#include "adtr/models/feature_extractor.hpp"
#include "adtr/models/scoring_tensors.hpp"
#include "adtr/parallel/run_each.hpp"
#include "adtr/weights/safetensors_writer.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Everything that training produces, as one parameter list: the transformer, and statistics of the training images.
template <class Net>
struct TrainedTensors {
  template <class T>
  struct Parameters {
    ParametersOf<typename Net::Transformer, T> transformer;
    T *feature_mean = nullptr, *feature_std = nullptr;  ///< (C); 0 and 1 if features are not standardised
    T *score_mean = nullptr, *score_std = nullptr;      ///< (H·W), of TapScoring's image scores; std has a floor
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("", self.transformer);
      visit("feature_mean", self.feature_mean, Shape{Net::Features::channels});
      visit("feature_std", self.feature_std, Shape{Net::Features::channels});
      visit("score_mean", self.score_mean, Shape{Net::Features::positions});
      visit("score_std", self.score_std, Shape{Net::Features::positions});
    }
  };
};

/// A trained network for inference. Use from one thread at a time.
template <class Net, Backend B>
class Model {
 public:
  using Scalar = typename B::Scalar;
  using Features = typename Net::Features;
  using Transformer = typename Net::Transformer;
  using Trained = ParametersOf<TrainedTensors<Net>, Scalar>;

  /// Loads a model file. Throws Error if its tensors are not this network's. Processes up to `capacity` images at a
  /// time.
  explicit Model(const SafetensorsFile& file, const typename B::Context& context = typename B::Context(1),
                 Index capacity = 1)
      : Model(context, capacity, std::make_unique<Loaded>(file, context)) {}

  /// Builds a model from a feature extractor, which it takes over, and trained tensors in memory, which are packed and
  /// not needed afterwards.
  Model(const typename B::Context& context, FeatureExtractor<Net, B>&& extractor, const Trained& trained)
      : Model(context, std::move(extractor)) {
    take(trained, {});
    set_score_statistics(Scoring::taps, statistics_in(trained));
  }

  /// Returns another model for another thread: it shares the weights and the bank; only its working memory and its
  /// score statistics are its own. Any number of threads may call this at the same time.
  [[nodiscard]] Model share() const {
    Model other(context_, extractor_.share());
    other.trained_ = trained_;
    other.use_bank(bank_);
    other.statistics_ = statistics_;
    return other;
  }

  /// Whether the model can score by this method: whether it has the bank and the score statistics that the method
  /// needs.
  [[nodiscard]] bool can_score(Scoring scoring) const {
    bool can = false;
    with_scoring(scoring, [&](auto method) {
      can = (!method.needs_bank || bank_ != nullptr) && (!method.z_scores || !statistics_of(scoring).empty());
    });
    return can;
  }

  /// Writes the position scores ‖f(u) − f̂(u)‖₂ of n images, (n, H·W); n ≤ capacity. Images, features and scores are in
  /// the host's memory.
  void position_scores(MapIn<B> images, std::span<Scalar> scores) {
    image_measures<NormScoring>(images, scores.data());
  }

  /// Writes the position scores of n images by a scoring method, for which can_score() must hold. If the method has
  /// z-scores, the image's scores are z-scores of each position over the training images.
  void position_scores(Scoring scoring, MapIn<B> images, PositionScores<Scalar>& scores) {
    assert(can_score(scoring));
    bool z_scores = false;
    with_scoring(scoring, [&](auto method) {
      using Method = decltype(method);
      z_scores = method.z_scores;
      image_measures<Method>(images, measures_.data());
      combine<Method>(images.batch, scores);
    });
    if (!z_scores) return;
    const ScoreStatistics<Scalar>& statistics = statistics_of(scoring);
    for (std::size_t i = 0; i < scores.image.size(); ++i) {
      const std::size_t u = i % static_cast<std::size_t>(Features::positions);
      scores.image[i] = (scores.image[i] - statistics.mean[u]) / statistics.std[u];
    }
  }

  /// The same from standardised features, as a training run keeps them, but without z-scores, whose mean and deviation
  /// such a run computes from the result.
  void feature_scores(Scoring scoring, MapIn<B> features, PositionScores<Scalar>& scores) {
    with_scoring(scoring, [&](auto method) {
      using Method = decltype(method);
      feature_measures<Method>(features, measures_.data());
      combine<Method>(features.batch, scores);
    });
  }

  /// Replaces the mean and standard deviation of each position's image score by a method.
  void set_score_statistics(Scoring scoring, const ScoreStatistics<Scalar>& statistics) {
    statistics_[static_cast<std::size_t>(scoring)] = statistics;
  }

  /// Replaces the bank; an empty one removes it.
  void set_bank(const BankTensors<Scalar>& bank) {
    use_bank(bank.empty() ? nullptr : std::make_shared<const MemoryBank<B>>(context_, bank));
  }

  /// The standardised features of the last call and their reconstruction, in the backend's memory.
  [[nodiscard]] MapIn<B> features(Index batch = 1) const { return map_view<Features>(features_.data(), batch); }
  [[nodiscard]] MapIn<B> reconstruction(Index batch = 1) const {
    return map_view<Features>(reconstruction_at(*this), batch);
  }

  /// Reconstructs features in the backend's memory; reconstruction() returns the result. (Not inlined into the code of
  /// each scoring method, like extract().)
  [[gnu::noinline]] void reconstruct(MapIn<B> features) {
    typename B::Memory& memory = activations_.size() > 0 ? activations_ : extractor_.scratch();
    const auto out = map_view<Features>(reconstruction_at(*this), features.batch);
    extractor_.for_groups(features.batch, [&](Index first, Index count) {
      Arena<Scalar> arena(memory.data(), memory.size());
      trained_->transformer.forward({context_}, features.images(first, count).matrix(),
                                    out.images(first, count).matrix(), arena);
    });
  }

 private:
  [[nodiscard]] const ScoreStatistics<Scalar>& statistics_of(Scoring scoring) const {
    return statistics_[static_cast<std::size_t>(scoring)];
  }

  void use_bank(std::shared_ptr<const MemoryBank<B>> bank) {
    bank_ = std::move(bank);
    projections_ = typename B::Memory(bank_ ? extractor_.capacity() * Features::positions * bank_->axes() : 0);
  }

  /// Number of measures of `batch` images by a scoring method.
  template <class Method>
  static constexpr Index measures_of(Index batch) {
    return batch * Features::positions * Method::template measures<Net>;
  }
  /// The largest number of measures of an image, over all methods.
  static constexpr Index max_measures = Features::positions * detail::max_measures<Net>(ScoringMethods());

  /// Makes position scores from the measures of `batch` images.
  template <class Method>
  void combine(Index batch, PositionScores<Scalar>& scores) const {
    const auto rows = static_cast<std::size_t>(batch * Features::positions);
    scores.map.resize(rows);
    scores.image.resize(Method::own_image_scores ? rows : 0);
    const std::span<const Scalar> measures(measures_);
    Method::template combine<Net, Scalar>(measures.first(static_cast<std::size_t>(measures_of<Method>(batch))), scores);
  }

  /// Writes measures, in the backend's memory like the features.
  template <class Method>
  void measure(MapIn<B> features, Scalar* measures) {
    reconstruct(features);
    const MatrixIn<B> rows = features.matrix();
    const MatrixOut<B> projections(projections_.data(), rows.rows, bank_ ? bank_->axes() : 0);
    const Measured<B> measured{context_, rows, reconstruction(features.batch).matrix(), bank_.get(), projections};
    Method::template measure<Net, B>(measured, measures);
  }

  /// The same with features and measures in the host's memory.
  template <class Method>
  void feature_measures(MapIn<B> features, Scalar* measures) {
    const Scalar* const at = to_device<B>(context_, features.data, features.batch * Features::size, features_);
    read_back<B>(context_, measures, measures_of<Method>(features.batch), transit_measures_,
                 [&](Scalar* to) { measure<Method>(map_view<Features>(at, features.batch), to); });
  }

  /// The same from images. On a GPU the whole computation is one recorded sequence of operations: it allocates nothing,
  /// and the host waits once, at the end.
  template <class Method>
  void image_measures(MapIn<B> images, Scalar* measures) {
    if constexpr (B::on_host) {
      measure<Method>(extract(images), measures);
    } else {
      assert(images.stride == images.channels);
      const Index n = images.batch * Net::Image::size, results = measures_of<Method>(images.batch);
      std::copy_n(images.data, n, staged_images_.data());
      const Index sequence =
          static_cast<Index>(scoring_methods) * images.batch + detail::place_of<Method>(ScoringMethods());
      recording_.run(context_, sequence, [&] {
        B::upload(context_, staged_images_.data(), n, transit_images_.data());
        const auto here =
            map_view<typename Net::Image>(static_cast<const Scalar*>(transit_images_.data()), images.batch);
        measure<Method>(extract(here), transit_measures_.data());
        B::download(context_, transit_measures_.data(), results, staged_measures_.data());
      });
      B::wait(context_);
      std::copy_n(staged_measures_.data(), results, measures);
    }
  }

  /// Computes standardised features of images in the backend's memory.
  [[gnu::noinline]] MapIn<B> extract(MapIn<B> images) {
    const auto features = map_view<Features>(features_.data(), images.batch);
    extractor_.extract(images, features);
    B::standardise(context_, features, trained_->mean.data(), trained_->scale.data());
    return features;
  }

  Model(const typename B::Context& context, FeatureExtractor<Net, B>&& extractor)
      : context_(context),
        extractor_(std::move(extractor)),
        features_(extractor_.capacity() * Features::size),
        reconstruction_(own_reconstruction(extractor_)),
        measures_(static_cast<std::size_t>(extractor_.capacity() * max_measures)),
        activations_(own_activations(extractor_)),
        transit_images_(in_transit(Net::Image::size)),
        transit_measures_(in_transit(max_measures)),
        staged_images_(in_transit(Net::Image::size)),
        staged_measures_(in_transit(max_measures)) {}

  /// Data that no call changes.
  struct Packed {
    WeightsOf<Transformer, B> transformer;
    typename B::Memory mean, scale;  ///< (C), for standardising; scale = 1/deviation
  };

  /// Elements of memory that the transformer needs for `batch` images.
  static Index activation_elements(Index batch) {
    const auto nowhere = map_view<Features>(detail::no_memory<Scalar>(), batch).matrix();
    return measure_forward<Transformer, B>(Mode::inference, nowhere, nowhere);
  }

  /// Elements of memory to allocate for activations: 0 if the backbone's scratch is large enough, because the backbone
  /// has finished when the transformer begins.
  static Index own_activations(FeatureExtractor<Net, B>& extractor) {
    const Index elements = activation_elements(extractor.group());
    return elements > extractor.scratch().size() ? elements : 0;
  }

  /// The same for the reconstruction, which lies behind the activations.
  static Index own_reconstruction(FeatureExtractor<Net, B>& extractor) {
    const Index size = extractor.capacity() * Features::size;
    return behind_activations(extractor) + size > extractor.scratch().size() ? size : 0;
  }
  static Index behind_activations(const FeatureExtractor<Net, B>& extractor) {
    return aligned_size<Scalar>(activation_elements(extractor.group()));
  }
  /// The reconstruction's address; `Self` is this model, const or not.
  template <class Self>
  [[nodiscard]] static auto* reconstruction_at(Self& self) {
    return self.reconstruction_.size() > 0 ? self.reconstruction_.data()
                                           : self.extractor_.scratch().data() + behind_activations(self.extractor_);
  }

  /// A file's tensors, checked to be complete and of the right shapes; most of them are still in the file.
  struct Loaded {
    ParameterLoader<Scalar> loader;
    typename FeatureExtractor<Net, B>::Parameters backbone;
    Trained trained;
    ModelDescription description;
    ScoringTensors<Scalar> scoring;
    std::string path;
    Loaded(const SafetensorsFile& file, const typename B::Context& context)
        : loader(file, 0.0, std::identity{}, run_each_on(context)), path(file.path()) {
      const BuffersTogether together(detail::packed_bytes<typename Net::Backbone::Layers, Scalar> +
                                     detail::packed_bytes<TrainedTensors<Net>, Scalar>);
      walk_parameters(backbone, "backbone.", loader);
      walk_parameters(trained, "", loader);
      description = read_description(file);
      scoring = load_scoring_tensors<Scalar>(file, Features::channels, Features::positions, loader);
      loader.finish([](const std::string&) { return false; });
    }
  };

  Model(const typename B::Context& context, Index capacity, const std::unique_ptr<Loaded>& loaded)
      : Model(context, FeatureExtractor<Net, B>(context, loaded->backbone, loaded->description.numerics.padding,
                                                loaded->description.pooling, capacity, loaded->loader.parts())) {
    take(loaded->trained, loaded->loader.parts());
    loaded->loader.finish_values();
    // Version 2 has the statistics of the model's own method alone.
    const bool version_2 = loaded->scoring.residual.empty();
    set_score_statistics(version_2 ? loaded->description.scoring : Scoring::taps, statistics_in(loaded->trained));
    set_score_statistics(Scoring::residual, loaded->scoring.residual);
    set_bank(loaded->scoring.bank);
    if (!can_score(loaded->description.scoring))
      throw weights_error(loaded->path, "scores by '" + std::string(name_of(loaded->description.scoring)) +
                                            "', but lacks the tensors that this needs");
  }

  void take(const Trained& trained, const PartListener& parts) {
    const BuffersTogether together(detail::packed_bytes<TrainedTensors<Net>, Scalar>);
    auto packed = std::make_shared<Packed>();
    const ParametersOn<Transformer, B> on_backend(context_, trained.transformer);
    const PartListener no_parts;
    packed->transformer.prepare(
        {context_, Mode::inference, Padding::symmetric, Pooling::bilinear, B::on_host ? parts : no_parts},
        on_backend.get());
    packed->mean = typename B::Memory(Features::channels);
    packed->scale = typename B::Memory(Features::channels);
    std::vector<Scalar> scale(static_cast<std::size_t>(Features::channels));
    std::transform(trained.feature_std, trained.feature_std + Features::channels, scale.begin(),
                   [](Scalar deviation) { return Scalar{1} / deviation; });
    B::upload(context_, trained.feature_mean, Features::channels, packed->mean.data());
    B::upload(context_, scale.data(), Features::channels, packed->scale.data());
    B::wait(context_);
    trained_ = std::move(packed);
  }

  [[nodiscard]] static ScoreStatistics<Scalar> statistics_in(const Trained& trained) {
    return {{trained.score_mean, trained.score_mean + Features::positions},
            {trained.score_std, trained.score_std + Features::positions}};
  }

  /// Number of elements that travel between host and backend for all images; 0 on the host.
  [[nodiscard]] Index in_transit(Index of_image) const { return B::on_host ? 0 : extractor_.capacity() * of_image; }

  typename B::Context context_;
  FeatureExtractor<Net, B> extractor_;
  std::shared_ptr<const Packed> trained_;
  typename B::Memory features_, reconstruction_;
  std::vector<Scalar> measures_;  ///< in the host's memory, (capacity, measures, H·W)
  typename B::Memory activations_;
  typename B::Memory transit_images_, transit_measures_;  ///< on the backend; empty if it works in the host's memory
  typename B::Staging staged_images_, staged_measures_;   ///< the host's ends of the same transfers; empty likewise
  typename B::Recording recording_;
  std::shared_ptr<const MemoryBank<B>> bank_;
  typename B::Memory projections_;  ///< working memory of the bank, (capacity·H·W, axes)
  std::array<ScoreStatistics<Scalar>, scoring_methods> statistics_;  ///< by scoring method; empty without z-scores
};

/// Writes a model file atomically: an earlier file is either kept whole or replaced.
template <class Net, std::floating_point T>
void save_model(const std::string& path, ParametersOf<TrainedTensors<Net>, T> trained,
                ParametersOf<typename Net::Backbone, T> backbone, const ModelDescription& description,
                const ScoringTensors<T>& scoring = {}) {
  ParameterWriter<T> writer;
  walk_parameters(trained, "", writer);
  walk_parameters(backbone, "backbone.", writer);
  add_scoring_tensors(scoring, writer);
  write_safetensors(path, writer.tensors(), to_metadata(description));
}

}  // namespace ADTR_ABI
}  // namespace adtr

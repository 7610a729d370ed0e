/// A training run with the network known: features, epochs with checkpoints, statistics, the model file.
#pragma once

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adtr/train/checkpoint.hpp"
#include "adtr/train/colour_scale.hpp"
#include "adtr/train/good_images.hpp"
#include "adtr/train/image_features.hpp"
#include "adtr/train/initialise.hpp"
#include "adtr/train/trainer.hpp"
#include "adtr/train/training_origin.hpp"

namespace adtr::inline ADTR_ABI::detail {

using Seconds = std::chrono::duration<double>;

inline double since(std::chrono::steady_clock::time_point begin) {
  return Seconds(std::chrono::steady_clock::now() - begin).count();
}

/// One run with the network N known.
template <class N, Backend B>
class TrainingRun {
  using Net = typename N::type;
  using T = typename B::Scalar;
  using Transformer = typename Net::Transformer;
  using Features = typename Net::Features;
  using Layers = typename Net::Backbone::Layers;
  using Trained = typename TrainedTensors<Net>::template Parameters<T>;

 public:
  TrainingRun(const TrainingRequest& request, const typename B::Context& context, const TrainingOrigin& origin,
              const TrainingProgress& progress)
      : request_(request),
        progress_(progress),
        context_(context),
        backbone_memory_(parameter_count<Layers>),
        trained_memory_(parameter_count<TrainedTensors<Net>>) {
    result_.description = origin.description;
    backbone_ = bind_parameters<Layers>(backbone_memory_.data());
    trained_ = bind_parameters<TrainedTensors<Net>>(trained_memory_.data());
    const Numerics& numerics = origin.description.numerics;
    if (goes_on()) {
      ParameterLoader<T> loader(origin.file, 0.0);
      walk_parameters(backbone_, "backbone.", loader);
      walk_parameters(trained_, "", loader);
      loader.finish([](const std::string&) { return false; });
    } else {
      load_backbone<Layers>(origin.file, numerics.bn_eps, backbone_);
      std::fill_n(trained_.feature_std, Features::channels, T{1});
    }
    features_.emplace(context_, FeatureExtractor<Net, B>(context_, backbone_, numerics.padding), numerics);
    train_ = request.good.samples;
    held_out_ = split_off(train_, request.hold_out, request.options.seed);
    if (request.mirror) train_ = with_mirror_images(train_);
    result_.images = static_cast<Index>(train_.size());
    result_.held_out = static_cast<Index>(held_out_.size());
    result_.defects = static_cast<Index>(request.defects.size());
  }

  TrainingResult operator()() {
    const auto begin = std::chrono::steady_clock::now();
    FeatureCache<T> cache(result_.images, Features::positions, Features::channels, request_.cache_memory);
    FeatureCache<T> defects(result_.defects, Features::positions, Features::channels, request_.cache_memory);
    compute_features(cache, defects);
    result_.seconds_features = since(begin);
    const auto trained_from = std::chrono::steady_clock::now();
    std::vector<std::uint8_t> marks = mark_defects();
    RunIdentity identity = identity_of_run(cache, defects, marks);
    ConfettiAnomalies<N, B> confetti(*features_, train_);
    KnownAnomalies<T> known(defects, std::move(marks));
    std::vector<AnomalySource<T>*> sources;
    if (request_.confetti) sources.push_back(&confetti);
    if (result_.defects > 0) sources.push_back(&known);
    const TrainingOptions& o = request_.options;
    ReplacingBatches<T> replacing(cache, sources, Features::size, o.anomaly_probability, o.seed);
    Trainer<Transformer, B> trainer(context_, sources.empty() ? static_cast<BatchSource<T>&>(cache) : replacing, o);
    train(trainer, cache, identity);
    result_.seconds_training = since(trained_from);
    finish(trainer, cache);
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool goes_on() const { return !request_.start.empty(); }

  void compute_features(FeatureCache<T>& cache, FeatureCache<T>& defects) {
    const Index images = cache.images() + defects.images();
    Index done = 0;
    const auto extract = [&](const Sample& sample, MatrixView<T> to) {
      features_->extract(read_image(sample), to.data);
      if (progress_.features) progress_.features(++done, images);
    };
    for (Index i = 0; i < cache.images(); ++i) extract(train_[static_cast<std::size_t>(i)], cache.image(i));
    for (Index i = 0; i < defects.images(); ++i)
      extract(request_.defects[static_cast<std::size_t>(i)], defects.image(i));
    if (!goes_on() && request_.options.recipe == Recipe::fast)
      channel_statistics<T>(cache.rows(), trained_.feature_mean, trained_.feature_std);
    features_->set_statistics(trained_.feature_mean, trained_.feature_std);
    for (Index i = 0; i < cache.images(); ++i) features_->standardise(cache.image(i).data);
    for (Index i = 0; i < defects.images(); ++i) features_->standardise(defects.image(i).data);
  }

  /// The anomalous tokens of each defect: by its mask, or all of them.
  [[nodiscard]] std::vector<std::uint8_t> mark_defects() const {
    constexpr auto tokens = static_cast<std::size_t>(Features::positions);
    std::vector<std::uint8_t> marks(request_.defects.size() * tokens, 1);
    for (std::size_t i = 0; i < request_.defects.size(); ++i) {
      const Sample& sample = request_.defects[i];
      if (!sample.mask) continue;
      mark_tokens(read_mask(*sample.mask), N::grid, std::span(marks).subspan(i * tokens, tokens));
    }
    return marks;
  }

  /// What the bits of this run depend on.
  [[nodiscard]] RunIdentity identity_of_run(const FeatureCache<T>& cache, const FeatureCache<T>& defects,
                                            const std::vector<std::uint8_t>& marks) const {
    RunIdentity identity = identity_of(request_.options);
    identity["features"] = std::to_string(fingerprint<T>(cache.rows()));
    identity["architecture"] = std::string(name_of(N::architecture));
    if (goes_on()) {
      const MatrixView<const T> start(trained_memory_.data(), 1, trained_memory_.size());
      identity["start"] = std::to_string(fingerprint<T>(start));
    }
    if (request_.confetti) identity["confetti"] = "yes";
    if (result_.defects > 0) {
      identity["defects"] = std::to_string(fingerprint<T>(defects.rows()));
      const MatrixView<const std::uint8_t> mask(marks.data(), 1, static_cast<Index>(marks.size()));
      identity["masks"] = std::to_string(fingerprint<std::uint8_t>(mask));
    }
    return identity;
  }

  void train(Trainer<Transformer, B>& trainer, const FeatureCache<T>& cache, const RunIdentity& identity) {
    const TrainingOptions& o = request_.options;
    const std::string checkpoint = request_.out + ".checkpoint";
    if (request_.resume) {
      load_checkpoint(checkpoint, identity, trainer.state());
    } else if (goes_on()) {
      std::copy_n(trained_memory_.data(), trainer.state().parameters.size(), trainer.state().parameters.data());
    } else {
      auto p = trainer.parameters();
      if (o.recipe == Recipe::fast)
        initialise_identity<Transformer, T>(p, o.seed, PrincipalAxes::of<T>(cache.rows(), Transformer::C));
      else
        initialise<Transformer, T>(p, o.seed);
    }
    const auto begin = std::chrono::steady_clock::now();
    auto saved = begin;
    const Index first = trainer.state().epoch;
    while (trainer.state().epoch < o.epochs) {
      const Index epoch = trainer.state().epoch;
      const auto report = [&](Index done, std::optional<double> loss) {
        if (!progress_.epoch) return;
        const double images = static_cast<double>((epoch - first) * cache.images() + done);
        const double rate = images / std::max(since(begin), 1e-9);
        const double left = static_cast<double>((o.epochs - epoch) * cache.images() - done) / rate;
        progress_.epoch({epoch + 1, o.epochs, done, cache.images(), loss, rate, left});
      };
      const double loss = trainer.run_epoch([&](Index done) {
        if (done < cache.images()) report(done, std::nullopt);
      });
      result_.losses.push_back(loss);
      report(cache.images(), loss);
      snapshot(trainer, cache);
      // Not after the last epoch: its loss goes into the model, and a checkpoint does not hold it.
      if (epoch + 1 < o.epochs && since(saved) >= request_.checkpoint_seconds) {
        save_checkpoint(checkpoint, trainer.state(), identity);
        saved = std::chrono::steady_clock::now();
      }
    }
  }

  /// Shows the model as it is now to whoever wants to see it, as a file that is gone afterwards.
  void snapshot(Trainer<Transformer, B>& trainer, const FeatureCache<T>& cache) {
    const Index epoch = trainer.state().epoch, every = request_.snapshot_epochs;
    if (every < 1 || epoch % every != 0 || epoch == request_.options.epochs || !progress_.snapshot) return;
    const std::string path = request_.out + ".snapshot";
    trained_model(trainer, cache);
    ModelDescription d = result_.description;
    d.notes = identity_of(request_.options);
    save_model<Net, T>(path, trained_, backbone_, d);
    progress_.snapshot(epoch, path);
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }

  /// The model as the trainer has it, its score statistics from the training images, whose scores come beside it.
  std::pair<Model<Net, B>, std::vector<T>> trained_model(Trainer<Transformer, B>& trainer,
                                                         const FeatureCache<T>& cache) {
    trained_.transformer = trainer.parameters();
    std::fill_n(trained_.score_mean, Features::positions, T{0});
    std::fill_n(trained_.score_std, Features::positions, T{1});
    std::vector<T> scores(static_cast<std::size_t>(cache.images() * Features::positions));
    Model<Net, B> model(context_, features_->share(), trained_);
    std::vector<T> deep(scores.size());
    constexpr auto positions = static_cast<std::size_t>(Features::positions);
    for (Index i = 0; i < cache.images(); ++i) {
      const auto features = map_view<Features>(static_cast<const T*>(cache.image(i).data), 1);
      const std::size_t at = static_cast<std::size_t>(i) * positions;
      const auto map = std::span(scores).subspan(at, positions), of_image = std::span(deep).subspan(at, positions);
      result_.description.scoring == Scoring::taps ? model.feature_scores(features, map, of_image)
                                                   : model.feature_scores(features, map);
    }
    score_statistics(result_.description.scoring == Scoring::taps ? deep : scores, Features::positions,
                     trained_.score_mean, trained_.score_std);
    model.set_score_statistics(trained_.score_mean, trained_.score_std);
    return {std::move(model), std::move(scores)};
  }

  /// Scores the held-out images for threshold and colours, and writes the model.
  void finish(Trainer<Transformer, B>& trainer, const FeatureCache<T>& cache) {
    auto [model, scores] = trained_model(trainer, cache);
    ModelDescription& d = result_.description;
    std::vector<float> good(scores.begin(), scores.end());
    HeatScale scale = training_scale(good, request_.options.epochs, cache.images());
    if (!held_out_.empty()) {
      Detector<B, Networks<N>> detector(d, std::make_unique<ModelOf<N, B>>(std::move(model)));
      std::vector<double> held_scores;
      good.clear();
      for (const Sample& sample : held_out_) {
        const Detection detection = detector.detect(read_image(sample));
        held_scores.push_back(detection.score);
        // Neighbouring pixels say the same: every sixteenth is enough for quantiles.
        for (std::size_t i = 0; i < detection.map.size(); i += 16) good.push_back(detection.map.data()[i]);
      }
      result_.threshold = threshold_from_good(held_scores, request_.false_alarm_rate);
      d.threshold = result_.threshold->value;
      scale = heat_scale(good);
    }
    d.colour_low = static_cast<double>(scale.low);
    d.colour_high = static_cast<double>(scale.high);
    describe();
    save_model<Net, T>(request_.out, trained_, backbone_, d);
    std::error_code ignored;
    std::filesystem::remove(request_.out + ".checkpoint", ignored);
  }

  /// What was left out when the images were looked for, and how many contradictions were let
  /// through, with the first ten.
  void describe_scan(const std::string& name, const SampleSet& set) {
    auto& notes = result_.description.notes;
    if (!set.left_out.empty()) notes["left_out_" + name] = adtr::describe(set.left_out);
    if (!set.allowed.empty()) notes["allowed_" + name] = std::to_string(set.allowed.size());
    for (std::size_t i = 0; i < std::min<std::size_t>(set.allowed.size(), 10); ++i)
      notes["allowed_" + name + "_" + std::to_string(i + 1)] = set.allowed[i];
  }

  void describe() {
    auto& notes = result_.description.notes;
    for (const auto& [key, value] : identity_of(request_.options)) notes[key] = value;
    if (request_.options.loss != Loss::norm)
      notes["anomalies"] = !request_.confetti ? "defects" : result_.defects > 0 ? "confetti, defects" : "confetti";
    if (result_.defects > 0) notes["training_defects"] = std::to_string(result_.defects);
    notes["training_images"] = std::to_string(result_.images);
    notes["held_out_images"] = std::to_string(result_.held_out);
    for (const auto& [name, set] : {std::pair("good", &request_.good), std::pair("defects", &request_.defects)})
      describe_scan(name, *set);
    if (!result_.losses.empty()) notes["final_loss"] = number_text(result_.losses.back());
    if (!result_.threshold) return;
    notes["false_alarm_rate"] = number_text(result_.threshold->requested_rate);
    notes["false_alarm_rate_bound"] = number_text(result_.threshold->upper_bound);
  }

  const TrainingRequest& request_;
  const TrainingProgress& progress_;
  typename B::Context context_;
  Buffer<T> backbone_memory_, trained_memory_;
  typename Net::Backbone::template Parameters<T> backbone_;
  Trained trained_;
  std::optional<ImageFeatures<N, B>> features_;
  std::vector<Sample> train_, held_out_;
  TrainingResult result_;
};

}  // namespace adtr::inline ADTR_ABI::detail

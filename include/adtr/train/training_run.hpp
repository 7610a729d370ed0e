/// A training run of a given network: features, epochs with checkpoints, statistics, the model file.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adtr/core/number_text.hpp"
#include "adtr/train/build_bank.hpp"
#include "adtr/train/colour_scale.hpp"
#include "adtr/train/good_images.hpp"
#include "adtr/train/image_features.hpp"
#include "adtr/train/initialise.hpp"
#include "adtr/train/kept_work.hpp"
#include "adtr/train/temporary_model.hpp"
#include "adtr/train/trainer.hpp"
#include "adtr/train/training_images.hpp"
#include "adtr/train/training_notes.hpp"
#include "adtr/train/training_origin.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

using Seconds = std::chrono::duration<double>;

inline double since(std::chrono::steady_clock::time_point begin) {
  return Seconds(std::chrono::steady_clock::now() - begin).count();
}

/// The checked input of a run: its starting point, its held-out images, and its images' fingerprints.
struct PreparedRun {
  const TrainingOrigin& origin;
  HoldOut held;
  ImageFingerprints images;
  RunIdentity identity;  ///< the part known before the features are computed
};

/// One run of network N.
template <class N, Backend B>
class TrainingRun {
  using Net = typename N::type;
  using T = typename B::Scalar;
  using Transformer = typename Net::Transformer;
  using Features = typename Net::Features;
  using Layers = typename Net::Backbone::Layers;
  using Trained = ParametersOf<TrainedTensors<Net>, T>;

 public:
  TrainingRun(const TrainingRequest& request, const typename B::Context& context, const PreparedRun& prepared,
              const TrainingProgress& progress)
      : request_(request),
        progress_(progress),
        context_(context),
        identity_(prepared.identity),
        backbone_memory_(parameter_count<Layers>),
        trained_memory_(parameter_count<TrainedTensors<Net>>) {
    const TrainingOrigin& origin = prepared.origin;
    result_.description = origin.description;
    backbone_ = bind_parameters<Layers>(backbone_memory_.data());
    trained_ = bind_parameters<TrainedTensors<Net>>(trained_memory_.data());
    const Numerics& numerics = origin.description.numerics;
    if (continues()) {
      ParameterLoader<T> loader(origin.file, 0.0);
      walk_parameters(backbone_, "backbone.", loader);
      walk_parameters(trained_, "", loader);
      earlier_bank_ = load_scoring_tensors<T>(origin.file, Features::channels, Features::positions, loader).bank;
      loader.finish([](const std::string&) { return false; });
    } else {
      load_backbone<Layers>(origin.file, numerics.bn_eps, backbone_);
      std::fill_n(trained_.feature_std, Features::channels, T{1});
    }
    features_.emplace(context_,
                      FeatureExtractor<Net, B>(context_, backbone_, numerics.padding, origin.description.pooling),
                      numerics);
    take_images(prepared);
  }

  TrainingResult operator()() {
    const auto begin = std::chrono::steady_clock::now();
    std::vector<std::uint8_t> anomalous = anomalous_tokens();
    add_to_identity(anomalous);
    if (request_.resume) check_earlier_work(request_, identity_);
    FeatureCache<T> cache(result_.images, Features::positions, Features::channels, request_.cache_memory);
    FeatureCache<T> defects(result_.defects, Features::positions, Features::channels, request_.cache_memory);
    compute_features(cache, defects);
    result_.seconds_features = since(begin);
    identity_["features"] = std::to_string(fingerprint<T>(cache.rows()));
    ConfettiAnomalies<N, B> confetti(*features_, train_);
    KnownAnomalies<T> known(defects, std::move(anomalous));
    std::vector<AnomalySource<T>*> sources;
    if (request_.confetti) sources.push_back(&confetti);
    if (result_.defects > 0) sources.push_back(&known);
    const TrainingOptions& o = request_.options;
    ReplacingBatches<T> replacing(cache, sources, Features::size, o.anomaly_probability, o.seed);
    Trainer<Transformer, B> trainer(context_, sources.empty() ? static_cast<BatchSource<T>&>(cache) : replacing, o);
    train_and_finish(trainer, cache);
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool continues() const { return !request_.start.empty(); }

  /// Splits the good images into those to train on and those held out.
  void take_images(const PreparedRun& prepared) {
    train_.assign(request_.good.begin(), request_.good.end());
    held_out_ = split_off(train_, prepared.held.images, prepared.held.seed);
    if (request_.mirror) train_ = with_mirror_images(train_);
    result_.good = static_cast<Index>(request_.good.size());
    result_.images = static_cast<Index>(train_.size());
    result_.held_out = static_cast<Index>(held_out_.size());
    result_.defects = static_cast<Index>(request_.defects.size());
    result_.hold_out_rule = prepared.held.rule;
    result_.turned = static_cast<Index>(prepared.images.turned);
    result_.soft_masks = static_cast<Index>(prepared.images.soft_masks);
    hold_out_seed_ = prepared.held.seed;
    // The same choice, applied to the images' fingerprints.
    std::vector<std::uint64_t> kept = prepared.images.good;
    held_out_fingerprint_ = fingerprint_of(split_off(kept, prepared.held.images, prepared.held.seed));
    if (continues() && !held_out_.empty() && held_out_before(prepared.origin, held_out_fingerprint_) == false)
      result_.hold_out_caution =
          "the model that training continued from, " + request_.start +
          ", was trained on images that are now held out, so more good parts than its bound says "
          "may lie above the threshold";
  }

  /// Trains and finishes the model; saves a checkpoint if that ends early.
  void train_and_finish(Trainer<Transformer, B>& trainer, const FeatureCache<T>& cache) {
    const auto begin = std::chrono::steady_clock::now();
    KeptWork<T> work(request_, identity_);
    try {
      train(trainer, cache, work);
      result_.seconds_training = since(begin);
      finish(trainer, cache);
      work.remove();
    } catch (const Interruption&) {
      const std::string where = "training was interrupted " + place_of(trainer.state(), request_.options.epochs);
      const std::string trouble = work.rescue(trainer.state());
      if (trouble.empty())
        throw Error(where + "; " + work.path() + " holds the finished steps, " + how_to_resume, ErrorCode::cancelled);
      throw Error(where + ", and its finished steps could not be saved: " + trouble + work.earlier(),
                  ErrorCode::cancelled);
    } catch (...) {
      const std::string trouble = trainer.state_is_whole() ? work.rescue(trainer.state()) : std::string();
      if (!trouble.empty()) throw_with_lost_work(trouble);
      throw;
    }
  }

  /// Throws Interruption if cancelled: features are not kept.
  void compute_features(FeatureCache<T>& cache, FeatureCache<T>& defects) {
    const Index images = cache.images() + defects.images();
    Index done = 0;
    const auto extract = [&](const Sample& sample, MatrixView<T> to) {
      features_->extract(read_image(sample), to.data);
      if (progress_.features) progress_.features(++done, images);
      stop_if_cancelled(progress_);
    };
    for (Index i = 0; i < cache.images(); ++i) extract(train_[static_cast<std::size_t>(i)], cache.image(i));
    for (Index i = 0; i < defects.images(); ++i)
      extract(request_.defects[static_cast<std::size_t>(i)], defects.image(i));
    if (!continues() && request_.options.recipe == Recipe::fast)
      channel_statistics<T>(cache.rows(), trained_.feature_mean, trained_.feature_std);
    features_->set_statistics(trained_.feature_mean, trained_.feature_std);
    for (Index i = 0; i < cache.images(); ++i) features_->standardise(cache.image(i).data);
    for (Index i = 0; i < defects.images(); ++i) features_->standardise(defects.image(i).data);
  }

  /// The anomalous tokens of each defect: from its mask, or all tokens if it has none.
  [[nodiscard]] std::vector<std::uint8_t> anomalous_tokens() const {
    constexpr auto tokens = static_cast<std::size_t>(Features::positions);
    std::vector<std::uint8_t> anomalous(request_.defects.size() * tokens, 1);
    for (std::size_t i = 0; i < request_.defects.size(); ++i) {
      const Sample& sample = request_.defects[i];
      if (!sample.mask) continue;
      mark_tokens(read_mask(*sample.mask), N::grid, std::span(anomalous).subspan(i * tokens, tokens));
    }
    return anomalous;
  }

  /// Adds the fingerprints of weights and masks to identity_.
  void add_to_identity(const std::vector<std::uint8_t>& anomalous) {
    const MatrixView<const T> backbone(backbone_memory_.data(), 1, backbone_memory_.size());
    identity_["backbone"] = std::to_string(fingerprint<T>(backbone));
    if (continues()) {
      const MatrixView<const T> start(trained_memory_.data(), 1, trained_memory_.size());
      identity_["start"] = std::to_string(fingerprint<T>(start));
    }
    if (result_.defects == 0) return;
    Fingerprint masks;
    masks.add(std::span<const std::uint8_t>(anomalous));
    identity_["masks"] = std::to_string(masks.value());
  }

  /// Sets the trainer's starting state: from the checkpoint, from the starting model, or by the recipe's
  /// initialisation.
  void set_start(Trainer<Transformer, B>& trainer, const FeatureCache<T>& cache, KeptWork<T>& work) {
    const TrainingOptions& o = request_.options;
    if (request_.resume) {
      work.load(trainer.state());
    } else if (continues()) {
      std::copy_n(trained_memory_.data(), trainer.state().parameters.size(), trainer.state().parameters.data());
    } else {
      auto p = trainer.parameters();
      if (o.recipe == Recipe::fast)
        initialise_identity<Transformer, T>(p, o.seed, PrincipalAxes::of<T>(cache.rows(), Transformer::C));
      else
        initialise<Transformer, T>(p, o.seed);
    }
  }

  void train(Trainer<Transformer, B>& trainer, const FeatureCache<T>& cache, KeptWork<T>& work) {
    const TrainingOptions& o = request_.options;
    set_start(trainer, cache, work);
    // The interrupted run may have ended before it reported this epoch.
    if (request_.resume && trainer.state().steps() == 0) snapshot(trainer, cache);
    const auto begin = std::chrono::steady_clock::now();
    const Index before = trainer.state().epoch * cache.images() + trainer.images_done();
    while (trainer.state().epoch < o.epochs) {
      const Index epoch = trainer.state().epoch;
      const auto report = [&](Index done, std::optional<double> loss) {
        if (!progress_.epoch) return;
        const double images = static_cast<double>(epoch * cache.images() + done - before);
        const double rate = (std::max)(images, 1.0) / (std::max)(since(begin), 1e-9);
        const double left = static_cast<double>((o.epochs - epoch) * cache.images() - done) / rate;
        progress_.epoch({epoch + 1, o.epochs, done, cache.images(), loss, rate, left});
      };
      bool cancelled = false;
      const std::optional<double> loss = trainer.run_epoch(
          [&](Index done) {
            if (done < cache.images()) report(done, std::nullopt);
          },
          [&] {
            cancelled = progress_.cancelled && progress_.cancelled();
            return cancelled || work.due_within_epoch();
          });
      if (cancelled) throw Interruption{};
      if (loss) {
        report(cache.images(), loss);
        snapshot(trainer, cache);
        stop_if_cancelled(progress_);
      }
      if (!loss || work.due_after_epoch()) work.save(trainer.state());
    }
    result_.losses = trainer.state().losses;
  }

  /// Passes the current model to TrainingProgress::snapshot, as a file that is deleted afterwards.
  void snapshot(Trainer<Transformer, B>& trainer, const FeatureCache<T>& cache) {
    const Index epoch = trainer.state().epoch, every = request_.snapshot_epochs;
    if (every < 1 || epoch % every != 0 || epoch == request_.options.epochs || !progress_.snapshot) return;
    const TemporaryModel file(request_.out);
    trained_model(trainer, cache, [] {});
    ModelDescription d = result_.description;
    d.notes = options_as_notes(request_.options);
    save_model<Net, T>(file.path(), trained_, backbone_, d, scoring_);
    progress_.snapshot(epoch, file.path());
  }

  /// Chooses the bank's tokens, once for all models of the run: the features do not change.
  void build_bank_of(const FeatureCache<T>& cache) {
    if (!needs_bank(result_.description.scoring) || !bank_.images.empty()) return;
    const TrainingOptions& o = request_.options;
    BankOptions options;
    options.tokens = o.bank > 0 ? o.bank : earlier_bank_.tokens_count;
    options.seed = o.seed;
    const RunEach each = run_each_on(context_);
    const RunEach cancellable = [&](Index count, const std::function<void(Index)>& fn) {
      stop_if_cancelled(progress_);
      each(count, fn);
    };
    const MatrixView<const T> rows = cache.rows();
    bank_ = build_bank<Net, B>(context_, rows, options, cancellable, earlier_bank_);
    scoring_.bank = bank_.tensors;
  }

  /// Position scores of every training image by one method, one after another. Calls `before(i)` before image i and
  /// `after_each()` after each.
  template <class Before, class After>
  std::vector<PositionScores<T>> training_scores(Model<Net, B>& model, Scoring scoring, const FeatureCache<T>& cache,
                                                 Before&& before, After&& after_each) {
    std::vector<PositionScores<T>> scores(static_cast<std::size_t>(cache.images()));
    for (Index i = 0; i < cache.images(); ++i) {
      before(i);
      model.feature_scores(scoring, map_view<Features>(static_cast<const T*>(cache.image(i).data), 1),
                           scores[static_cast<std::size_t>(i)]);
      after_each();
    }
    return scores;
  }

  /// Returns the trainer's current model, with its bank and with score statistics from the training images. Calls
  /// `after_each()` after each image.
  template <class F>
  Model<Net, B> trained_model(Trainer<Transformer, B>& trainer, const FeatureCache<T>& cache, F&& after_each) {
    trained_.transformer = trainer.parameters();
    std::fill_n(trained_.score_mean, Features::positions, T{0});
    std::fill_n(trained_.score_std, Features::positions, T{1});
    Model<Net, B> model(context_, features_->share(), trained_);
    build_bank_of(cache);
    model.set_bank(scoring_.bank);
    const auto statistics = [&](Scoring scoring) {
      std::vector<T> behind_image;
      for (const PositionScores<T>& of_image : training_scores(
               model, scoring, cache, [](Index) {}, after_each))
        behind_image.insert(behind_image.end(), of_image.image.begin(), of_image.image.end());
      ScoreStatistics<T> result{std::vector<T>(Features::positions), std::vector<T>(Features::positions)};
      score_statistics(behind_image, Features::positions, result.mean.data(), result.std.data());
      model.set_score_statistics(scoring, result);
      return result;
    };
    const ScoreStatistics<T> taps = statistics(Scoring::taps);
    std::copy(taps.mean.begin(), taps.mean.end(), trained_.score_mean);
    std::copy(taps.std.begin(), taps.std.end(), trained_.score_std);
    scoring_.residual = statistics(Scoring::residual);
    return model;
  }

  /// The colour scale when no images are held out: from the training images, each scored without its own tokens in the
  /// bank.
  HeatScale scale_of_training(Model<Net, B>& model, const FeatureCache<T>& cache) {
    const Scoring scoring = result_.description.scoring;
    const auto leave_out = [&](Index image) {
      if (!needs_bank(scoring)) return;
      const auto& path = train_[static_cast<std::size_t>(image)].path;
      const BankTensors<T> others =
          without_images(bank_, [&](Index other) { return train_[static_cast<std::size_t>(other)].path == path; });
      model.set_bank(others.empty() ? scoring_.bank : others);
    };
    std::vector<float> good;
    for (const PositionScores<T>& of_image :
         training_scores(model, scoring, cache, leave_out, [&] { stop_if_cancelled(progress_); }))
      good.insert(good.end(), of_image.map.begin(), of_image.map.end());
    model.set_bank(scoring_.bank);
    return training_scale(good, request_.options.epochs, cache.images(), reconstruction_exponent(scoring));
  }

  /// Scores the held-out images for the threshold and the colours, and writes the model.
  void finish(Trainer<Transformer, B>& trainer, const FeatureCache<T>& cache) {
    Model<Net, B> model = trained_model(trainer, cache, [&] { stop_if_cancelled(progress_); });
    ModelDescription& d = result_.description;
    HeatScale scale;
    if (held_out_.empty()) {
      scale = scale_of_training(model, cache);
    } else {
      Detector<B, Networks<N>> detector(d, std::make_unique<ModelOf<N, B>>(std::move(model)));
      std::vector<double> held_scores;
      std::vector<float> good;
      for (const Sample& sample : held_out_) {
        const Detection detection = detector.detect(read_image(sample));
        held_scores.push_back(detection.score);
        // Neighbouring pixels are nearly equal: every sixteenth is enough for quantiles.
        for (std::size_t i = 0; i < detection.map.size(); i += 16) good.push_back(detection.map.data()[i]);
        stop_if_cancelled(progress_);
      }
      result_.threshold = threshold_from_good(held_scores, request_.false_alarm_rate);
      d.threshold = result_.threshold->value;
      scale = heat_scale(good);
    }
    d.colour_low = static_cast<double>(scale.low);
    d.colour_high = static_cast<double>(scale.high);
    add_notes(request_, hold_out_seed_, held_out_fingerprint_, scoring_.bank.tokens_count, result_);
    save_model<Net, T>(request_.out, trained_, backbone_, d, scoring_);
  }

  const TrainingRequest& request_;
  const TrainingProgress& progress_;
  typename B::Context context_;
  RunIdentity identity_;  ///< everything that determines this run's bits
  Buffer<T> backbone_memory_, trained_memory_;
  ParametersOf<typename Net::Backbone, T> backbone_;
  Trained trained_;
  std::optional<ImageFeatures<N, B>> features_;
  std::vector<Sample> train_, held_out_;
  BankTensors<T> earlier_bank_;  ///< of the model that training continues from
  BuiltBank<T> bank_;
  ScoringTensors<T> scoring_;
  std::uint64_t hold_out_seed_ = 0, held_out_fingerprint_ = 0;
  TrainingResult result_;
};

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr

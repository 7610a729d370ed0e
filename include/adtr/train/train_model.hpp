/// The whole of a training run: image files and backbone weights in, a model file out.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adtr/data/folder.hpp"
#include "adtr/detector.hpp"
#include "adtr/metrics/threshold.hpp"
#include "adtr/train/checkpoint.hpp"
#include "adtr/train/colour_scale.hpp"
#include "adtr/train/initialise.hpp"
#include "adtr/train/trainer.hpp"

namespace adtr::inline ADTR_ABI {

/// What to train on, with what, and where the model goes.
struct TrainingRequest {
  std::vector<Sample> good;  ///< training images, as scan_training() finds them
  std::string weights;       ///< safetensors file of a backbone
  std::string architecture;  ///< where the weights file does not name it; else may be empty
  std::string out;           ///< model file to write; `<out>.checkpoint` while training
  Index image_size = 256;
  Index grid = 16;
  TrainingOptions options;
  double hold_out = 0.0;          ///< share of the good images that is kept for the threshold, in [0, 1)
  double false_alarm_rate = 0.0;  ///< of those, how many may lie at or above the threshold
  bool resume = false;            ///< go on with `<out>.checkpoint`
  double checkpoint_seconds = 30.0;
  std::uint64_t cache_memory = std::uint64_t{4} << 30;  ///< bytes of features to keep in memory; beyond, a file
  int threads = 0;
};

/// Called as a run goes on; either may be empty.
struct TrainingProgress {
  /// Images whose features are computed, of how many.
  std::function<void(Index done, Index images)> features;
  struct Epoch {
    Index epoch, epochs;         ///< epoch counts from 1
    Index images_done, images;   ///< within the epoch
    std::optional<double> loss;  ///< the epoch's mean, at its end
    double images_per_second, seconds_left;
  };
  std::function<void(const Epoch&)> epoch;
};

/// What a run did.
struct TrainingResult {
  ModelDescription description;
  Index images = 0, held_out = 0;
  std::vector<double> losses;  ///< of the epochs of this process, L_norm on the features as they are trained on
  std::optional<GoodThreshold> threshold;
  double seconds_features = 0.0, seconds_training = 0.0;
};

namespace detail {

/// Takes a seeded share of the samples for the threshold; both parts keep the folder's order.
inline std::vector<Sample> split_off(std::vector<Sample>& samples, double share, std::uint64_t seed) {
  if (!(share >= 0.0 && share < 1.0))
    throw Error("hold-out: expected at least 0 and less than 1, found " + number_text(share));
  if (share == 0.0) return {};
  const auto n = samples.size();
  const auto count = std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(share * static_cast<double>(n))));
  if (count >= n)
    throw Error("hold-out: " + std::to_string(n) + " good images are too few to keep " + number_text(share) +
                " of them apart");
  const auto order = permutation(n, RandomStream(seed, std::uint64_t{1} << 56));
  std::vector<bool> held(n, false);
  for (std::size_t i = 0; i < count; ++i) held[order[i]] = true;
  std::vector<Sample> kept, out;
  for (std::size_t i = 0; i < n; ++i) (held[i] ? out : kept).push_back(std::move(samples[i]));
  samples = std::move(kept);
  return out;
}

/// Mean and deviation of the position scores (images, H·W) over the images; the deviation not below a fifth of the one
/// over all positions and images, so that positions which never change do not shout.
template <class T>
void score_statistics(const std::vector<T>& scores, Index positions, T* mean, T* std) {
  const auto p = static_cast<std::size_t>(positions);
  const auto images = static_cast<double>(scores.size() / p);
  double total = 0.0, total_squares = 0.0;
  for (const T s : scores) total += static_cast<double>(s);
  total /= static_cast<double>(scores.size());
  for (const T s : scores) total_squares += (static_cast<double>(s) - total) * (static_cast<double>(s) - total);
  const double floor = std::max(0.2 * std::sqrt(total_squares / static_cast<double>(scores.size())), 1e-12);
  for (std::size_t u = 0; u < p; ++u) {
    double sum = 0.0, squares = 0.0;
    for (std::size_t i = u; i < scores.size(); i += p) sum += static_cast<double>(scores[i]);
    sum /= images;
    for (std::size_t i = u; i < scores.size(); i += p)
      squares += (static_cast<double>(scores[i]) - sum) * (static_cast<double>(scores[i]) - sum);
    mean[u] = static_cast<T>(sum);
    std[u] = static_cast<T>(std::max(std::sqrt(squares / images), floor));
  }
}

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

 public:
  TrainingRun(const TrainingRequest& request, const NamedArchitecture& named, const SafetensorsFile& weights,
              const TrainingProgress& progress)
      : request_(request), progress_(progress), context_(request.threads), backbone_memory_(parameter_count<Layers>) {
    ModelDescription& d = result_.description;
    d.architecture = named.architecture;
    d.numerics = named.numerics;
    d.image_size = N::image_size;
    d.grid = N::grid;
    d.image_score = request.options.recipe == Recipe::fast ? ImageScore::z_score : ImageScore::norm;
    backbone_ = bind_parameters<Layers>(backbone_memory_.data());
    load_backbone<Layers>(weights, named.numerics.bn_eps, backbone_);
    extractor_.emplace(context_, backbone_, named.numerics.padding);
    train_ = request.good;
    held_out_ = split_off(train_, request.hold_out, request.options.seed);
    result_.images = static_cast<Index>(train_.size());
    result_.held_out = static_cast<Index>(held_out_.size());
  }

  TrainingResult operator()() {
    const auto begin = std::chrono::steady_clock::now();
    FeatureCache<T> cache(result_.images, Features::positions, Features::channels, request_.cache_memory);
    compute_features(cache);
    result_.seconds_features = since(begin);
    const auto trained_from = std::chrono::steady_clock::now();
    Trainer<Transformer, B> trainer(context_, cache, request_.options);
    train(trainer, cache);
    result_.seconds_training = since(trained_from);
    finish(trainer, cache);
    return std::move(result_);
  }

 private:
  void compute_features(FeatureCache<T>& cache) {
    Preprocessor<T> preprocess(N::image_size, result_.description.numerics);
    Buffer<T> input(Net::Image::size);
    for (Index i = 0; i < cache.images(); ++i) {
      preprocess(read_image(train_[static_cast<std::size_t>(i)].path), input.data());
      extractor_->extract(map_view<typename Net::Image>(input.data(), 1), map_view<Features>(cache.image(i).data, 1));
      if (progress_.features) progress_.features(i + 1, cache.images());
    }
    feature_mean_ = Buffer<T>(Features::channels);
    feature_std_ = Buffer<T>(Features::channels);
    std::fill_n(feature_std_.data(), Features::channels, T{1});
    if (request_.options.recipe != Recipe::fast) return;
    channel_statistics<T>(cache.rows(), feature_mean_.data(), feature_std_.data());
    Buffer<T> inverse(Features::channels);
    for (Index c = 0; c < Features::channels; ++c) inverse.data()[c] = T{1} / feature_std_.data()[c];
    for (Index i = 0; i < cache.images(); ++i)
      B::standardise(context_, map_view<Features>(cache.image(i).data, 1), feature_mean_.data(), inverse.data());
  }

  void train(Trainer<Transformer, B>& trainer, const FeatureCache<T>& cache) {
    const TrainingOptions& o = request_.options;
    RunIdentity identity = identity_of(o);
    identity["features"] = std::to_string(fingerprint<T>(cache.rows()));
    identity["architecture"] = std::string(name_of(N::architecture));
    const std::string checkpoint = request_.out + ".checkpoint";
    if (request_.resume) {
      load_checkpoint(checkpoint, identity, trainer.state());
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
      if (since(saved) >= request_.checkpoint_seconds) {
        save_checkpoint(checkpoint, trainer.state(), identity);
        saved = std::chrono::steady_clock::now();
      }
    }
  }

  /// Scores the training images for the statistics, the held-out ones for threshold and colours, and writes the model.
  void finish(Trainer<Transformer, B>& trainer, const FeatureCache<T>& cache) {
    Buffer<T> score_mean(Features::positions), score_std(Features::positions);
    std::fill_n(score_std.data(), Features::positions, T{1});
    typename TrainedTensors<Net>::template Parameters<T> trained{
        trainer.parameters(), feature_mean_.data(), feature_std_.data(), score_mean.data(), score_std.data()};
    std::vector<T> scores(static_cast<std::size_t>(cache.images() * Features::positions));
    Model<Net, B> model(context_, std::move(*extractor_), trained);
    for (Index i = 0; i < cache.images(); ++i)
      model.feature_scores(map_view<Features>(static_cast<const T*>(cache.image(i).data), 1),
                           std::span(scores).subspan(static_cast<std::size_t>(i * Features::positions),
                                                     static_cast<std::size_t>(Features::positions)));
    score_statistics(scores, Features::positions, score_mean.data(), score_std.data());
    model.set_score_statistics(score_mean.data(), score_std.data());
    ModelDescription& d = result_.description;
    std::vector<float> good(scores.begin(), scores.end());
    HeatScale scale = training_scale(good, request_.options.epochs, cache.images());
    if (!held_out_.empty()) {
      Detector<B, Networks<N>> detector(d, std::make_unique<ModelOf<N, B>>(std::move(model)));
      std::vector<double> held_scores;
      good.clear();
      for (const Sample& sample : held_out_) {
        const Detection detection = detector.detect(read_image(sample.path));
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
    save_model<Net, T>(request_.out, trained, backbone_, d);
    std::error_code ignored;
    std::filesystem::remove(request_.out + ".checkpoint", ignored);
  }

  void describe() {
    auto& notes = result_.description.notes;
    for (const auto& [key, value] : identity_of(request_.options)) notes[key] = value;
    notes["training_images"] = std::to_string(result_.images);
    notes["held_out_images"] = std::to_string(result_.held_out);
    if (!result_.losses.empty()) notes["final_loss"] = number_text(result_.losses.back());
    if (!result_.threshold) return;
    notes["false_alarm_rate"] = number_text(result_.threshold->requested_rate);
    notes["false_alarm_rate_bound"] = number_text(result_.threshold->upper_bound);
  }

  const TrainingRequest& request_;
  const TrainingProgress& progress_;
  typename B::Context context_;
  Buffer<T> backbone_memory_;
  typename Net::Backbone::template Parameters<T> backbone_;
  std::optional<FeatureExtractor<Net, B>> extractor_;
  std::vector<Sample> train_, held_out_;
  Buffer<T> feature_mean_, feature_std_;
  TrainingResult result_;
};

}  // namespace detail

/// Trains and writes request.out. Every image is opened before anything long begins, and the output tried, so that a
/// run does not fail over a broken file after an hour. Throws Error, naming the file or option.
template <Backend B = Cpu, class Nets = DefaultNetworks>
TrainingResult train_model(const TrainingRequest& request, const TrainingProgress& progress = {}) {
  const SafetensorsFile weights = SafetensorsFile::open(request.weights);
  const NamedArchitecture named = describe_weights(weights, request.architecture);
  if (request.good.empty()) throw Error("training: expected good images, found none");
  check_images(request.good);
  AtomicFile{request.out};  // throws where the model could not be written
  return select_network(Nets{}, named.architecture, request.image_size, request.grid,
                        [&]<class N>() { return detail::TrainingRun<N, B>(request, named, weights, progress)(); });
}

}  // namespace adtr::inline ADTR_ABI

/// Trains the reconstruction transformer on features, with or without anomalies: AdamW, one call an epoch.
#pragma once

#include "adtr/core/error.hpp"
#include "adtr/core/random.hpp"
#include "adtr/models/reconstruction.hpp"
#include "adtr/nn/transfer.hpp"
#include "adtr/train/batches.hpp"
#include "adtr/train/feature_cache.hpp"
#include "adtr/train/jitter.hpp"
#include "adtr/train/loss.hpp"
#include "adtr/train/recipe.hpp"

namespace adtr::inline ADTR_ABI {

/// What has changed since training began; together with the options and the images it decides all that follows.
template <class T>
struct TrainingState {
  Buffer<T> parameters, first_moment, second_moment;
  Index epoch = 0;  ///< finished epochs
  explicit TrainingState(Index count) : parameters(count), first_moment(count), second_moment(count) {}
};

/// The same seed gives the same bits for any number of threads: the order of images, dropout, jitter and starting
/// weights are functions of (seed, step, place), and every sum has a fixed order.
template <class Transformer, Backend B>
class Trainer {
 public:
  using Scalar = typename B::Scalar;
  using Parameters = typename Transformer::template Parameters<Scalar>;

  /// `batches`, a FeatureCache or another source, is read as training goes on and must outlive the trainer.
  Trainer(const typename B::Context& context, BatchSource<Scalar>& batches, const TrainingOptions& options)
      : context_(context),
        batches_(batches),
        options_(options),
        state_(parameter_count<Transformer>),
        gradients_(state_.parameters.size()),
        parameters_twin_(gradients_.size()),
        first_moment_twin_(gradients_.size()),
        second_moment_twin_(gradients_.size()),
        gradients_twin_(gradients_.size()),
        batch_(std::min(options.batch, batches.images())),
        input_(batch_ * size),
        anomalous_(static_cast<std::size_t>(batch_ * Transformer::tokens)),
        group_(B::on_host ? std::min(batch_, images_at_a_time) : batch_),
        seen_(options.jitter > 0.0 ? group_ * size : 0),
        output_(group_ * size),
        d_output_(group_ * size),
        activations_(Transformer::activation_elements(group_, Mode::training)),
        scratch_(Transformer::gradient_scratch(group_)) {}

  /// The parameters, to be initialised before the first epoch or read after the last.
  [[nodiscard]] Parameters parameters() { return bind_parameters<Transformer>(state_.parameters.data()); }
  [[nodiscard]] TrainingState<Scalar>& state() { return state_; }
  [[nodiscard]] const Buffer<Scalar>& gradients() const { return gradients_; }

  [[nodiscard]] Index steps_per_epoch() const { return (batches_.images() + batch_ - 1) / batch_; }

  /// One pass over all images in random order; returns the mean of the loss over them. `after_step(images done)` is
  /// called after each step.
  template <class F>
  double run_epoch(F&& after_step) {
    const Index n = batches_.images();
    const auto order =
        permutation(static_cast<std::size_t>(n),
                    RandomStream(options_.seed, order_stream + static_cast<std::uint64_t>(state_.epoch)));
    std::vector<Index> images;
    double loss = 0.0;
    push_state();
    for (Index first = 0; first < n; first += batch_) {
      const Index count = std::min(batch_, n - first);
      images.assign(order.begin() + first, order.begin() + first + count);
      const Index step = state_.epoch * steps_per_epoch() + first / batch_;
      std::fill(anomalous_.begin(), anomalous_.end(), std::uint8_t{0});
      const auto marks = std::span(anomalous_).first(static_cast<std::size_t>(count * Transformer::tokens));
      batches_.fill(images, step, input_.data(), marks);
      loss += compute_gradient({input_.data(), count * Transformer::tokens, Transformer::features}, step, marks) *
              static_cast<double>(count);
      step_with_gradient(step);
      after_step(first + count);
    }
    pull_state();
    ++state_.epoch;
    return loss / static_cast<double>(n);
  }
  double run_epoch() {
    return run_epoch([](Index) {});
  }

  /// The mean loss of a batch f (count·tokens, channels) as training step `step` sees it (its dropout and jitter);
  /// fills gradients(). `anomalous` (count·tokens) marks anomalous tokens for the losses that want to know.
  double gradient(MatrixIn<B> f, Index step, std::span<const std::uint8_t> anomalous = {}) {
    push_state();
    const double loss = compute_gradient(f, step, anomalous);
    gradients_twin_.pull(context_, gradients_);
    return loss;
  }

  /// One AdamW step with gradients().
  void update(Index step) {
    push_state();
    gradients_twin_.push(context_, gradients_);
    step_with_gradient(step);
    pull_state();
  }

 private:
  void push_state() {
    parameters_twin_.push(context_, state_.parameters);
    first_moment_twin_.push(context_, state_.first_moment);
    second_moment_twin_.push(context_, state_.second_moment);
  }
  void pull_state() {
    parameters_twin_.pull(context_, state_.parameters);
    first_moment_twin_.pull(context_, state_.first_moment);
    second_moment_twin_.pull(context_, state_.second_moment);
  }

  double compute_gradient(MatrixIn<B> f, Index step, std::span<const std::uint8_t> anomalous) {
    Transformer::template prepare<B>(context_, bind_parameters<Transformer>(parameters_twin_.data(state_.parameters)),
                                     Mode::training, weights_);
    RandomStream noise(options_.seed, jitter_stream + static_cast<std::uint64_t>(step));
    B::zero(context_, gradients_twin_.data(gradients_), gradients_.size());
    const Index group_rows = group_ * Transformer::tokens, groups = (batch_ + group_ - 1) / group_;
    double loss = 0.0;
    for (Index first = 0, group = 0; first < f.rows; first += group_rows, ++group) {
      const Index count = std::min(group_rows, f.rows - first);
      const Dropout dropout{static_cast<float>(options_.dropout), options_.seed, 0,
                            static_cast<std::uint32_t>(step * groups + group)};
      const auto marks = anomalous.empty()
                             ? anomalous
                             : anomalous.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
      loss += add_gradient(f.row_range(first, count), noise, dropout, marks, f.rows);
    }
    if (!std::isfinite(loss))
      throw Error("training diverged at step " + std::to_string(step + 1) +
                  " (the loss is not a number); try a smaller learning rate");
    return loss;
  }

  void step_with_gradient(Index step) {
    const Index steps = options_.epochs * steps_per_epoch();
    AdamW adamw;
    adamw.learning_rate = learning_rate(options_, step, steps, steps_per_epoch());
    adamw.weight_decay = options_.weight_decay;
    adamw.step = step + 1;
    if (options_.clip > 0.0) {
      const double norm = std::sqrt(B::squared_norm(context_, gradients_twin_.data(gradients_), gradients_.size()));
      if (norm > options_.clip) adamw.gradient_scale = options_.clip / norm;
    }
    B::adamw(context_, adamw, gradients_.size(), parameters_twin_.data(state_.parameters),
             gradients_twin_.data(gradients_), first_moment_twin_.data(state_.first_moment),
             second_moment_twin_.data(state_.second_moment));
  }

  /// Adds to gradients() and returns the loss of some images f of a batch of `batch_rows` tokens.
  double add_gradient(MatrixIn<B> f, RandomStream& noise, const Dropout& dropout,
                      std::span<const std::uint8_t> anomalous, Index batch_rows) {
    Arena<Scalar> arena(activations_.data(), activations_.size());
    const typename Transformer::template Activations<Scalar> activations(arena, f.rows, Mode::training);
    const MatrixOut<B> y(output_.data(), f.rows, Transformer::features);
    const MatrixOut<B> dy(d_output_.data(), f.rows, Transformer::features);
    const auto on_backend = [&](MatrixIn<B> host, typename B::Memory& room) {
      return MatrixIn<B>(brought<B>(context_, host.data, host.rows * host.cols, room), host.rows, host.cols);
    };
    const MatrixIn<B> target = on_backend(f, room_);
    const MatrixIn<B> x = options_.jitter > 0.0 ? on_backend(jittered(f, noise), seen_room_) : target;
    Transformer::template forward<B>(context_, weights_, dropout, activations, x, y);
    const double loss = loss_gradient(target, y, anomalous, dy, static_cast<double>(batch_rows));
    Parameters g = bind_parameters<Transformer>(gradients_twin_.data(gradients_));
    Transformer::template backward<B>(context_, weights_, dropout, activations, x, MatrixIn<B>(dy), g,
                                      Arena<Scalar>(scratch_.data(), scratch_.size()));
    return loss;
  }

  /// The loss of some images and its gradient, both as shares of the mean over a batch of `rows` tokens.
  double loss_gradient(MatrixIn<B> f, MatrixIn<B> y, std::span<const std::uint8_t> anomalous, MatrixOut<B> dy,
                       double rows) const {
    if (options_.loss == Loss::norm)
      return B::norm_gradient(context_, f, y, static_cast<Scalar>(2.0 / rows), dy) / rows;
    const double share = static_cast<double>(Transformer::tokens) / rows;
    return share * (options_.loss == Loss::pixel
                        ? pixel_loss<B>(context_, f, y, anomalous, Transformer::tokens, options_.alpha, share, dy)
                        : image_loss<B>(context_, f, y, anomalous, Transformer::tokens, options_.top_k, options_.alpha,
                                        share, dy));
  }

  /// f as the network sees it.
  MatrixIn<B> jittered(MatrixIn<B> f, RandomStream& noise) {
    const MatrixOut<B> seen(seen_.data(), f.rows, f.cols);
    add_jitter<Scalar>(f, options_.jitter, noise, seen);
    return seen;
  }

  static constexpr Index size = Transformer::tokens * Transformer::features;
  /// A batch goes through forward and backward in groups of so many images, whose activations (34 MB an image for ADTR)
  /// take each other's place.
  static constexpr Index images_at_a_time = 4;
  // Away from the streams of starting weights.
  static constexpr std::uint64_t order_stream = std::uint64_t{1} << 48, jitter_stream = std::uint64_t{1} << 49;

  typename B::Context context_;
  BatchSource<Scalar>& batches_;
  TrainingOptions options_;
  TrainingState<Scalar> state_;
  Buffer<Scalar> gradients_;
  Twin<B> parameters_twin_, first_moment_twin_, second_moment_twin_, gradients_twin_;
  Index batch_;
  Buffer<Scalar> input_;
  std::vector<std::uint8_t> anomalous_;
  Index group_;
  Buffer<Scalar> seen_;                                           ///< one group with jitter
  typename B::Memory output_, d_output_, activations_, scratch_;  ///< of one group
  typename B::Memory room_, seen_room_;  ///< a group on its way; empty where the host's memory is the backend's
  typename Transformer::template Weights<B> weights_;
};

}  // namespace adtr::inline ADTR_ABI

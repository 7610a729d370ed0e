/// Trains the reconstruction transformer on features with AdamW, with or without anomalies, one call per epoch.
#pragma once

#include <exception>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "adtr/core/ceil_div.hpp"
#include "adtr/core/error.hpp"
#include "adtr/core/random.hpp"
#include "adtr/models/reconstruction.hpp"
#include "adtr/nn/transfer.hpp"
#include "adtr/train/batches.hpp"
#include "adtr/train/check_options.hpp"
#include "adtr/train/feature_cache.hpp"
#include "adtr/train/jitter.hpp"
#include "adtr/train/loss.hpp"
#include "adtr/train/recipe.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The state that training changes; with the options and the images it determines everything that follows.
template <class T>
struct TrainingState {
  Buffer<T> parameters, first_moment, second_moment;
  Index epoch = 0;                  ///< finished epochs
  std::vector<double> losses;       ///< one per finished epoch
  std::vector<double> step_losses;  ///< one per finished step of the current epoch
  /// Number of finished steps in the current epoch.
  [[nodiscard]] Index steps() const { return static_cast<Index>(step_losses.size()); }
  explicit TrainingState(Index count) : parameters(count), first_moment(count), second_moment(count) {}
};

/// The same seed gives the same bits for any number of threads: the order of images, dropout, jitter and initial
/// weights are functions of (seed, step, position), and every sum has a fixed order.
template <class Transformer, Backend B>
class Trainer {
 public:
  using Scalar = typename B::Scalar;
  using Parameters = ParametersOf<Transformer, Scalar>;

  /// Reads `batches`, a FeatureCache or another source, during training; it must outlive the trainer. Throws Error:
  /// option if an option is out of range, no_resources if memory is insufficient.
  Trainer(const typename B::Context& context, BatchSource<Scalar>& batches, const TrainingOptions& options)
      : context_(context),
        batches_(batches),
        options_(checked(options, batches)),
        state_(parameter_count<Transformer>),
        gradients_(state_.parameters.size()),
        parameters_twin_(gradients_.size()),
        first_moment_twin_(gradients_.size()),
        second_moment_twin_(gradients_.size()),
        gradients_twin_(gradients_.size()),
        batch_((std::min)(options.batch, batches.images())),
        anomalous_(room_for_flags(options, batches)),
        group_(B::on_host ? (std::min)(batch_, images_at_a_time) : batch_),
        input_(batch_ * size),
        seen_(options.jitter > 0.0 ? group_ * size : 0),
        flags_(with_anomalies() ? group_ * Transformer::tokens : 0),
        sums_(2 * steps_per_epoch()),
        output_(group_ * size),
        d_output_(group_ * size),
        means_(with_anomalies() ? group_ * Transformer::tokens : 0),
        sign_weights_(means_.size()),
        activations_(activation_elements(group_, options)) {}

  /// The parameters. Initialise them before the first epoch; read them after the last.
  [[nodiscard]] Parameters parameters() { return bind_parameters<Transformer>(state_.parameters.data()); }
  [[nodiscard]] TrainingState<Scalar>& state() { return state_; }
  [[nodiscard]] const Buffer<Scalar>& gradients() const { return gradients_; }

  [[nodiscard]] Index steps_per_epoch() const { return ceil_div(batches_.images(), batch_); }

  /// Whether state() is the result of a whole number of finished steps and so may be saved. False after a divergence,
  /// or if an operation failed within a step.
  [[nodiscard]] bool state_is_whole() const { return whole_; }

  /// Number of images that the finished steps of the current epoch have processed.
  [[nodiscard]] Index images_done() const { return (std::min)(state_.steps() * batch_, batches_.images()); }

  /// Trains to the end of the epoch, over all images in random order; returns the mean loss over them.
  /// Calls `after_step(images done)` after each step, and then, except after the last step, `stop()`. If that returns
  /// true, run_epoch() returns nothing, with the finished steps in state(); the next call continues there, with the
  /// same bits and loss as a single call. If after_step, stop or the batch source throws, state() holds the finished
  /// steps too. Does not wait for a GPU between steps.
  template <class F, class Stop>
  std::optional<double> run_epoch(F&& after_step, Stop&& stop) {
    const Index n = batches_.images(), steps = steps_per_epoch();
    if (state_.steps() > steps)
      throw Error("training state: expected at most " + std::to_string(steps) + " finished steps in an epoch, found " +
                      std::to_string(state_.steps()),
                  ErrorCode::bad_weights);
    const auto order =
        permutation(static_cast<std::size_t>(n),
                    RandomStream(options_.seed, order_stream + static_cast<std::uint64_t>(state_.epoch)));
    Index finished = state_.steps();
    try {
      push_state();
      B::zero(context_, sums_.data(), sums_.size());
      for (bool stopped = false; finished < steps && !stopped;) {
        run_step(order, finished);
        ++finished;
        after_step((std::min)(finished * batch_, n));
        stopped = finished < steps && stop();
      }
    } catch (...) {
      if (whole_) settle_despite_error(finished);
      throw;
    }
    settle(finished);
    if (finished < steps) return std::nullopt;
    double loss = 0.0;
    for (Index i = 0; i < steps; ++i)
      loss += state_.step_losses[static_cast<std::size_t>(i)] * static_cast<double>((std::min)(batch_, n - i * batch_));
    loss /= static_cast<double>(n);
    state_.losses.push_back(loss);
    state_.step_losses.clear();
    ++state_.epoch;
    return loss;
  }
  /// The same without a stop condition.
  template <class F>
  double run_epoch(F&& after_step) {
    return *run_epoch(std::forward<F>(after_step), [] { return false; });
  }
  double run_epoch() {
    return run_epoch([](Index) {});
  }

  /// Returns the mean loss of a batch f (count·tokens, channels) as training step `step` computes it, with its dropout
  /// and jitter, and fills gradients(). `anomalous` (count·tokens) is 1 for anomalous tokens; the losses for anomalies
  /// need it.
  double gradient(MatrixIn<B> f, Index step, std::span<const std::uint8_t> anomalous = {}) {
    push_state();
    B::zero(context_, sums_.data(), 1);
    compute_gradient(f, step, anomalous, sums_.data());
    double sum = 0.0;
    B::download(context_, sums_.data(), 1, &sum);
    gradients_twin_.pull(context_, gradients_);
    return checked_loss(sum, f.rows, step);
  }

  /// Does one AdamW step with gradients().
  void update(Index step) {
    push_state();
    gradients_twin_.push(context_, gradients_);
    B::zero(context_, sums_.data(), 1);
    step_with_gradient(step, sums_.data());
    pull_state();
  }

 private:
  static const TrainingOptions& checked(const TrainingOptions& options, const BatchSource<Scalar>& batches) {
    check(options, Transformer::tokens);
    if (batches.images() < 1) throw Error("training: expected images to train on, found none", ErrorCode::option);
    return options;
  }

  /// Elements of memory that the forward and the backward pass of `images` images need.
  static Index activation_elements(Index images, const TrainingOptions& options) {
    const MatrixIn<B> rows(detail::no_memory<Scalar>(), images * Transformer::tokens, Transformer::features);
    return measure_training<Transformer, B>({.rate = static_cast<float>(options.dropout)}, rows, rows);
  }

  /// Allocates one flag per token of a batch. This is a function, and not a try block around the constructor, because
  /// nvcc 13 crashes on the latter.
  static std::vector<std::uint8_t> room_for_flags(const TrainingOptions& options, const BatchSource<Scalar>& batches) {
    try {
      const Index batch = (std::min)(options.batch, batches.images());
      return std::vector<std::uint8_t>(static_cast<std::size_t>(batch * Transformer::tokens));
    } catch (const std::bad_alloc&) {
      throw no_memory(options, batches);
    } catch (const std::length_error&) {  // longer than a std::vector can be
      throw no_memory(options, batches);
    }
  }

  /// The Error that says how much memory the trainer needs, and for what.
  static Error no_memory(const TrainingOptions& options, const BatchSource<Scalar>& batches) {
    const Index batch = (std::min)(options.batch, batches.images());
    const Index group = B::on_host ? (std::min)(batch, images_at_a_time) : batch;
    const Index of_group = 3 * size + activation_elements(1, options);
    const Index elements = (B::on_host ? 4 : 8) * parameter_count<Transformer> + batch * size + group * of_group;
    const auto mebibytes = static_cast<std::uint64_t>(elements) * sizeof(Scalar) >> 20;
    return Error("the system has no memory for training on batches of " + std::to_string(batch) +
                     " images, which takes about " + std::to_string(mebibytes) +
                     " MiB; try a smaller batch (TrainingOptions::batch, --batch)",
                 ErrorCode::no_resources);
  }

  /// Runs step `i` of an epoch with the given image order.
  void run_step(const std::vector<std::size_t>& order, Index i) {
    const Index first = i * batch_, count = (std::min)(batch_, batches_.images() - first);
    const Index step = state_.epoch * steps_per_epoch() + i;
    B::wait(context_, read_);  // not for the rest of the previous step
    images_.assign(order.begin() + first, order.begin() + first + count);
    std::fill(anomalous_.begin(), anomalous_.end(), std::uint8_t{0});
    const auto flags = std::span(anomalous_).first(static_cast<std::size_t>(count * Transformer::tokens));
    batches_.fill(images_, step, input_.data(), flags);
    const MatrixIn<B> f(input_.data(), count * Transformer::tokens, Transformer::features);
    compute_gradient(f, step, flags, sums_.data() + i);
    whole_ = false;
    step_with_gradient(step, sums_.data() + steps_per_epoch() + i);
    // On a GPU the host would have to wait for the sum.
    if constexpr (B::on_host) static_cast<void>(checked_loss(sums_.data()[i], f.rows, step));
    whole_ = true;
  }

  /// Downloads the state and losses after `finished` steps of the epoch. Throws if one of them has diverged.
  void settle(Index finished) {
    const Index before = state_.steps();
    if (finished == before) return;
    whole_ = false;
    std::vector<double> sums(static_cast<std::size_t>(finished - before));
    B::download(context_, sums_.data() + before, finished - before, sums.data());
    pull_state();
    for (Index i = before; i < finished; ++i) {
      const Index count = (std::min)(batch_, batches_.images() - i * batch_);
      state_.step_losses.push_back(checked_loss(sums[static_cast<std::size_t>(i - before)], count * Transformer::tokens,
                                                state_.epoch * steps_per_epoch() + i));
    }
    whole_ = true;
  }
  /// The same while another error, which tells more, is propagating: swallows its own errors.
  void settle_despite_error(Index finished) noexcept {
    try {
      settle(finished);
    } catch (...) {
      whole_ = false;
    }
  }

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

  [[nodiscard]] bool with_anomalies() const { return options_.loss != Loss::norm; }

  /// Returns the mean loss of a batch of `rows` tokens from the sum over its groups. Throws Error if it is not finite.
  double checked_loss(double sum, Index rows, Index step) const {
    const double loss = with_anomalies() ? sum : sum / static_cast<double>(rows);
    if (!std::isfinite(loss))
      throw Error("training diverged at step " + std::to_string(step + 1) +
                      " (the loss is not a number); try a smaller learning rate",
                  ErrorCode::training_diverged);
    return loss;
  }

  /// Computes the gradient of a batch on the backend, and adds to *sum what checked_loss() turns into the mean loss.
  void compute_gradient(MatrixIn<B> f, Index step, std::span<const std::uint8_t> anomalous, double* sum) {
    weights_.prepare({context_, Mode::training},
                     bind_parameters<Transformer>(parameters_twin_.data(state_.parameters)));
    RandomStream noise(options_.seed, jitter_stream + static_cast<std::uint64_t>(step));
    B::zero(context_, gradients_twin_.data(gradients_), gradients_.size());
    const Index group_rows = group_ * Transformer::tokens, groups = ceil_div(batch_, group_);
    for (Index first = 0, group = 0; first < f.rows; first += group_rows, ++group) {
      const Index count = (std::min)(group_rows, f.rows - first);
      const Dropout dropout{static_cast<float>(options_.dropout), options_.seed, 0,
                            static_cast<std::uint32_t>(step * groups + group)};
      const auto flags = anomalous.empty()
                             ? anomalous
                             : anomalous.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
      add_gradient(f.row_range(first, count), noise, dropout, flags, f.rows, sum);
    }
  }

  void step_with_gradient(Index step, double* squared_norm) {
    AdamW adamw;
    adamw.learning_rate = learning_rate(options_, step, options_.epochs * steps_per_epoch(), steps_per_epoch());
    adamw.weight_decay = options_.weight_decay;
    adamw.step = step + 1;
    adamw.clip = options_.clip;
    adamw.squared_norm = squared_norm;
    if (options_.clip > 0.0)
      B::squared_norm(context_, gradients_twin_.data(gradients_), gradients_.size(), squared_norm);
    B::adamw(context_, adamw, gradients_.size(), parameters_twin_.data(state_.parameters),
             gradients_twin_.data(gradients_), first_moment_twin_.data(state_.first_moment),
             second_moment_twin_.data(state_.second_moment));
  }

  /// Adds the gradient and the loss of one group f of a batch with `batch_rows` tokens.
  void add_gradient(MatrixIn<B> f, RandomStream& noise, const Dropout& dropout, std::span<const std::uint8_t> anomalous,
                    Index batch_rows, double* sum) {
    Arena<Scalar> arena(activations_.data(), activations_.size());
    const Pass<B> pass{context_, Mode::training, dropout};
    const MatrixOut<B> y(output_.data(), f.rows, Transformer::features);
    const MatrixOut<B> dy(d_output_.data(), f.rows, Transformer::features);
    const MatrixIn<B> target = uploaded(f, room_);
    const MatrixIn<B> x = options_.jitter > 0.0 ? uploaded(jittered(f, noise), seen_room_) : target;
    const MatrixIn<B> anomalous_tokens = with_anomalies() ? uploaded(numbers(anomalous), flags_room_) : MatrixIn<B>{};
    B::record(context_, read_);
    const auto kept = weights_.forward(pass, x, y, arena);
    loss_gradient(target, y, anomalous_tokens, dy, static_cast<double>(batch_rows), sum);
    const Parameters gradient = bind_parameters<Transformer>(gradients_twin_.data(gradients_));
    weights_.backward(pass, x, kept, dy, gradient, {}, arena);
  }

  /// Adds a group's loss and writes its gradient, both as shares of the mean over a batch of `rows` tokens, except that
  /// L_norm's sum is not divided by `rows`.
  void loss_gradient(MatrixIn<B> f, MatrixIn<B> y, MatrixIn<B> anomalous_tokens, MatrixOut<B> dy, double rows,
                     double* sum) {
    if (!with_anomalies()) return B::norm_gradient(context_, f, y, static_cast<Scalar>(2.0 / rows), dy, sum);
    const AnomalyLoss loss{options_.loss == Loss::image, options_.top_k, options_.alpha,
                           static_cast<double>(Transformer::tokens) / rows};
    const MatrixOut<B> means(means_.data(), anomalous_tokens.rows, anomalous_tokens.cols),
        weights(sign_weights_.data(), anomalous_tokens.rows, anomalous_tokens.cols);
    anomaly_loss<B>(context_, loss, f, y, anomalous_tokens, means, weights, dy, sum);
  }

  /// Returns a backend-readable matrix: `host` itself, or a copy in `room`. `host` must not change until the operations
  /// that read it have run.
  MatrixIn<B> uploaded(MatrixIn<B> host, [[maybe_unused]] typename B::Memory& room) {
    if constexpr (B::on_host) {
      return host;
    } else {
      if (room.size() < host.rows * host.cols) room = typename B::Memory(host.rows * host.cols);
      B::upload(context_, host.data, host.rows * host.cols, room.data());
      return {room.data(), host.rows, host.cols};
    }
  }

  /// Returns f with jitter: the network's input.
  MatrixIn<B> jittered(MatrixIn<B> f, RandomStream& noise) {
    const MatrixOut<B> seen(seen_.data(), f.rows, f.cols);
    add_jitter<Scalar>(f, options_.jitter, noise, seen);
    return seen;
  }

  /// Converts the flags of anomalous tokens to 0 and 1 as scalars, (images, tokens).
  MatrixIn<B> numbers(std::span<const std::uint8_t> anomalous) {
    std::copy(anomalous.begin(), anomalous.end(), flags_.data());
    return {flags_.data(), static_cast<Index>(anomalous.size()) / Transformer::tokens, Transformer::tokens};
  }

  static constexpr Index size = Transformer::tokens * Transformer::features;
  /// Group size: forward and backward process a batch in groups of this many images, which reuse the memory of the
  /// activations (34 MB per image for ADTR).
  static constexpr Index images_at_a_time = 4;
  // Streams apart from those of the initial weights.
  static constexpr std::uint64_t order_stream = std::uint64_t{1} << 48, jitter_stream = std::uint64_t{1} << 49;

  typename B::Context context_;
  BatchSource<Scalar>& batches_;
  TrainingOptions options_;
  TrainingState<Scalar> state_;
  Buffer<Scalar> gradients_;
  Twin<B> parameters_twin_, first_moment_twin_, second_moment_twin_, gradients_twin_;
  Index batch_;
  bool whole_ = true;          ///< see state_is_whole()
  std::vector<Index> images_;  ///< the images of a step
  std::vector<std::uint8_t> anomalous_;
  Index group_;
  typename B::Staging input_;  ///< filled by the host for a step while the previous step runs
  typename B::Staging seen_;   ///< one group's input with jitter
  typename B::Staging flags_;  ///< one group's flags of anomalous tokens, as scalars
  typename B::Event read_{};    ///< event after the last operation that reads these three
  typename B::Sums sums_;      ///< per step of an epoch: first all losses, then all squared norms of the gradient
  typename B::Memory output_, d_output_;              ///< for one group, as are the following
  typename B::Memory means_, sign_weights_;           ///< only with anomalies
  typename B::Memory activations_;                    ///< for the forward and the backward pass of a group
  typename B::Memory room_, seen_room_, flags_room_;  ///< empty if the backend works in the host's memory
  WeightsOf<Transformer, B> weights_;
};

}  // namespace ADTR_ABI
}  // namespace adtr

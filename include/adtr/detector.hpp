/// Detects anomalies at run time: loads a model file, returns scores and heat maps of images.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "adtr/backend/cpu.hpp"
#include "adtr/core/number_text.hpp"
#include "adtr/core/one_thread.hpp"
#include "adtr/data/image_file.hpp"
#include "adtr/data/preprocess.hpp"
#include "adtr/data/resize.hpp"
#include "adtr/metrics/verdict.hpp"
#include "adtr/models/model.hpp"
#include "adtr/models/score_map.hpp"
#include "adtr/packages/xtensor.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// A detector's result for one image.
struct Detection {
  double score = std::numeric_limits<double>::quiet_NaN();  ///< larger is more anomalous; no fixed range
  std::optional<double> threshold;                          ///< the model's, or the one given to set_threshold()
  Verdict verdict = Verdict::undecided;  ///< undecided without a threshold: neither good nor anomalous
  /// Raw scores of the resized image's pixels, (image size, image size), row-major whatever XTENSOR_DEFAULT_LAYOUT is.
  xt::xtensor<float, 2, xt::layout_type::row_major> map;
};

/// Makes a network's input from pixels: resizes as Pillow does, then normalises as the weights expect. The library has
/// no second implementation of this.
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
  void operator()(const Image& image, T* out) { (*this)(ImageView(image), out); }

  /// The resized image of the last call, over which a heat map is drawn.
  [[nodiscard]] const Image& resized() const { return pixels_; }

 private:
  Resizer resize_;
  Numerics numerics_;
  Image pixels_;
};

namespace detail {

/// A Model behind an interface that does not depend on its network type.
template <Backend B>
struct AnyModel {
  using T = typename B::Scalar;
  virtual ~AnyModel() = default;
  virtual void position_scores(Scoring scoring, const T* image, PositionScores<T>& scores) = 0;
  [[nodiscard]] virtual bool can_score(Scoring scoring) const = 0;
  [[nodiscard]] virtual std::unique_ptr<AnyModel> share() const = 0;
};

template <class N, Backend B>
struct ModelOf final : AnyModel<B> {
  using T = typename B::Scalar;
  ModelOf(const SafetensorsFile& file, const typename B::Context& context) : model(file, context) {}
  explicit ModelOf(Model<typename N::type, B>&& m) : model(std::move(m)) {}
  explicit ModelOf(const Model<typename N::type, B>& other) : model(other.share()) {}
  void position_scores(Scoring scoring, const T* image, PositionScores<T>& scores) override {
    model.position_scores(scoring, {image, 1, N::image_size, N::image_size, 3}, scores);
  }
  [[nodiscard]] bool can_score(Scoring scoring) const override { return model.can_score(scoring); }
  [[nodiscard]] std::unique_ptr<AnyModel<B>> share() const override { return std::make_unique<ModelOf>(model); }
  Model<typename N::type, B> model;
};

}  // namespace detail

namespace detail {

inline void require_threshold(std::optional<double> threshold) {
  if (threshold && std::isnan(*threshold))
    throw Error("threshold: expected a number, found " + number_text(*threshold), ErrorCode::option);
}

}  // namespace detail

/// Detects anomalies on backend B with any network of `Nets` that a model file asks for.
///
///     auto detector = adtr::Detector<adtr::Cpu>::load("screw.adtr");
///     adtr::Detection d = detector.detect(adtr::read_image("part.png"));
///     if (d.verdict != adtr::Verdict::good) reject(part);  // `undecided`, too: the model has no threshold
///
/// One thread at a time may use a detector; a second one gets Error (busy). Give each thread its own with share().
/// Detectors of different models may share a Context, and with it the threads. A detector that was made without a
/// model, or that was moved from, is empty: it can be assigned to, and any other use throws Error (option).
template <Backend B = Cpu, class Nets = DefaultNetworks>
class Detector {
 public:
  using Scalar = typename B::Scalar;

  /// Makes an empty detector, for a class member that gets its model later.
  Detector() = default;

  /// Throws Error naming the file: not_a_model if it is not a model, no_such_network if it needs a network that `Nets`
  /// does not have, bad_weights if it is damaged. `threads` = 0: use all processors of the machine.
  [[nodiscard]] static Detector load(const std::string& path, int threads = 0) {
    return load(path, typename B::Context(threads));
  }
  [[nodiscard]] static Detector load(const std::string& path, const typename B::Context& context) {
    const std::pair<SafetensorsFile, ModelDescription> opened = open_model(path);
    return of_file(opened.first, opened.second, context);
  }

  /// The same of a model file that lies in memory; nothing refers to its bytes after the call. `name` stands for its
  /// path in errors.
  [[nodiscard]] static Detector load_from_memory(std::span<const std::byte> bytes, const std::string& name,
                                                 const typename B::Context& context) {
    const auto file = [&] {
      try {
        return SafetensorsFile::in_memory(bytes, name);
      } catch (const Error& e) {
        throw Error(e.what(), e.code() == ErrorCode::bad_weights ? ErrorCode::not_a_model : e.code());
      }
    }();
    return of_file(file, read_description(file), context);
  }

  /// Throws Error (option) if there is no model or the threshold is NaN.
  Detector(const ModelDescription& description, std::unique_ptr<detail::AnyModel<B>> model) {
    if (!model) throw Error("detector: expected a model, found none", ErrorCode::option);
    detail::require_threshold(description.threshold);
    state_ = std::make_unique<State>(description, std::move(model));
  }

  /// Whether the detector has a model.
  [[nodiscard]] bool loaded() const noexcept { return state_ != nullptr; }

  /// Returns another detector with the same model and threshold, for another thread. Weights and Context are shared,
  /// not copied, and live as long as any of the detectors; the new detector costs only the working memory of a
  /// detection (10 MB for B4, whose weights take 98 MB). Any number of threads may call this at the same time.
  [[nodiscard]] Detector share() const { return Detector(state().description, state().model->share()); }

  [[nodiscard]] const ModelDescription& description() const { return state().description; }

  /// Replaces the model's threshold, or removes it if `threshold` is empty. Infinite thresholds decide, see
  /// verdict_of(). Throws Error: option on NaN, busy while another thread detects.
  void set_threshold(std::optional<double> threshold) {
    State& s = state();
    detail::require_threshold(threshold);
    const OneThread held(s.busy, "the detector");
    s.description.threshold = threshold;
  }

  /// The scoring methods that the model can use: those whose bank and score statistics it has.
  [[nodiscard]] std::vector<Scoring> scorings() const {
    std::vector<Scoring> found;
    for (std::size_t i = 0; i < scoring_methods; ++i)
      if (state().model->can_score(static_cast<Scoring>(i))) found.push_back(static_cast<Scoring>(i));
    return found;
  }

  /// Scores by another method from now on. The threshold and the colour range of the model belong to its own method, so
  /// the threshold is removed; set_threshold() sets another. Throws Error: option if the model cannot use the method,
  /// busy while another thread detects.
  void set_scoring(Scoring scoring) {
    State& s = state();
    if (!s.model->can_score(scoring))
      throw Error("scoring '" + std::string(name_of(scoring)) + "': the model lacks " +
                      (needs_bank(scoring) ? "a memory bank" : "the score statistics") + " for it",
                  ErrorCode::option);
    const OneThread held(s.busy, "the detector");
    if (scoring != s.description.scoring) s.description.threshold.reset();
    s.description.scoring = scoring;
  }

  /// Scores an image. Changes the detector's working memory and resized(), but not the model. Throws Error: busy while
  /// another thread detects, bad_weights if the model's scores are not finite, because such a score must never pass as
  /// good. The detector remains usable afterwards.
  [[nodiscard]] Detection detect(const ImageView& image) {
    Detection d;
    detect(image, d);
    return d;
  }
  [[nodiscard]] Detection detect(const Image& image) { return detect(ImageView(image)); }

  /// The same into a reused Detection: allocates nothing while images keep their size. If it throws, `d` is undecided,
  /// has no threshold and the score NaN, and its map is meaningless.
  void detect(const ImageView& image, Detection& d) {
    d.verdict = Verdict::undecided;
    d.score = std::numeric_limits<double>::quiet_NaN();
    d.threshold.reset();
    State& s = state();
    const OneThread held(s.busy, "the detector");
    s.detect(image, d);
  }
  void detect(const Image& image, Detection& d) { detect(ImageView(image), d); }

  /// The resized image of the last detection, over which its map is drawn.
  [[nodiscard]] const Image& resized() const { return state().preprocess.resized(); }

 private:
  /// Everything a detector holds, in one heap object: moving a detector moves only a pointer.
  struct State {
    State(const ModelDescription& d, std::unique_ptr<detail::AnyModel<B>> m)
        : description(d),
          model(std::move(m)),
          preprocess(d.image_size, d.numerics),
          scorer(d.grid, d.image_size),
          input(d.image_size * d.image_size * 3),
          map(static_cast<std::size_t>(d.image_size * d.image_size)) {}

    void detect(const ImageView& image, Detection& d) {
      preprocess(image, input.data());
      model->position_scores(description.scoring, input.data(), scores);
      require_finite(scores.map);
      require_finite(scores.image);
      const auto size = static_cast<std::size_t>(description.image_size);
      if (d.map.shape(0) != size || d.map.shape(1) != size) d.map.resize({size, size});
      d.score = scorer(scores, map);
      std::transform(map.begin(), map.end(), d.map.data(), [](Scalar x) { return static_cast<float>(x); });
      d.threshold = description.threshold;
      d.verdict = verdict_of(d.score, d.threshold);
    }

    /// Throws if a value is not finite: a NaN would lose every comparison of the maximum, so the part could pass as
    /// good.
    static void require_finite(std::span<const Scalar> values) {
      const auto finite = [](Scalar value) { return std::isfinite(value); };
      if (!std::all_of(values.begin(), values.end(), finite))
        throw Error("the model's scores of this image are not finite numbers: its weights are damaged, or too large",
                    ErrorCode::bad_weights);
    }

    ModelDescription description;
    std::unique_ptr<detail::AnyModel<B>> model;
    Preprocessor<Scalar> preprocess;
    ImageScorer<Scalar> scorer;
    Buffer<Scalar> input;
    PositionScores<Scalar> scores;
    std::vector<Scalar> map;
    BusyFlag busy{false};
  };

  static Detector of_file(const SafetensorsFile& file, const ModelDescription& d, const typename B::Context& context) {
    try {
      return Detector(d, select_network(Nets{}, d.architecture, d.image_size, d.grid,
                                        [&]<class N>() -> std::unique_ptr<detail::AnyModel<B>> {
                                          return std::make_unique<detail::ModelOf<N, B>>(file, context);
                                        }));
    } catch (const NoSuchNetwork& e) {
      throw file_error(file.path(), e.what(), ErrorCode::no_such_network);
    }
  }

  [[nodiscard]] State& state() const {
    if (!state_) throw Error("the detector has no model: load one, or assign another detector", ErrorCode::option);
    return *state_;
  }

  std::unique_ptr<State> state_;
};

}  // namespace ADTR_ABI
}  // namespace adtr

/// The scoring methods: how the difference between features and their reconstruction becomes scores. A method is one
/// type, with an entry in `ScoringMethods`; detector, training run and evaluation all go through `ImageScorer`.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "adtr/models/memory_bank.hpp"
#include "adtr/models/score_map.hpp"
#include "adtr/models/tap_scores.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The scoring method of a model file, by its place in ScoringMethods.
enum class Scoring : std::uint8_t {
  norm,      ///< NormScoring
  taps,      ///< TapScoring
  residual,  ///< ResidualScoring
  bank,      ///< BankScoring
  fused      ///< FusedScoring
};

/// The position scores of n images, (n, H·W) each.
template <class T>
struct PositionScores {
  std::vector<T> map;    ///< of the score map
  std::vector<T> image;  ///< behind the image's score; empty if the map's are
  /// The scores behind the image's score.
  [[nodiscard]] const std::vector<T>& behind_image() const { return image.empty() ? map : image; }
};

/// What a backend measures for a scoring method: features f and their reconstruction g, both (rows, C) in the backend's
/// memory, the model's bank if it has one, and working memory for the bank's projections.
template <Backend B>
struct Measured {
  const typename B::Context& context;
  MatrixIn<B> f, g;
  const MemoryBank<B>* bank;
  MatrixOut<B> projections;  ///< (rows, axes of the bank)
};

// A scoring method has these members:
// - name: the method's name in model files;
// - own_image_scores: whether the image's score is the maximum of a map of its own, PositionScores::image;
// - z_scores: whether that map is in z-scores of each position over the training images;
// - needs_bank: whether a model without a bank lacks the method;
// - measures<Net>: how many numbers per position it needs;
// - measure<Net, B>(Measured, out): writes them, (measures, rows), in the backend's memory;
// - combine<Net, T>(measured, scores): makes position scores of them, in the host's memory; `scores` has its sizes.

/// The paper's: map and image score from ‖f(u) − f̂(u)‖₂.
struct NormScoring {
  static constexpr std::string_view name = "norm";
  static constexpr bool own_image_scores = false, z_scores = false, needs_bank = false;
  template <class Net>
  static constexpr Index measures = 1;

  template <class Net, Backend B>
  static void measure(const Measured<B>& m, typename B::Scalar* out) {
    B::difference_norm(m.context, m.f, m.g, out);
  }
  template <class Net, class T>
  static void combine(std::span<const T> measured, PositionScores<T>& scores) {
    std::copy(measured.begin(), measured.end(), scores.map.begin());
  }
};

/// The default up to format version 2, see tap_scores(): the map weights all taps equally, and the image's score comes
/// from the two deepest.
struct TapScoring {
  static constexpr std::string_view name = "taps";
  static constexpr bool own_image_scores = true, z_scores = true, needs_bank = false;
  template <class Net>
  static constexpr Index measures = static_cast<Index>(Net::Backbone::taps.size());

  template <class Net, Backend B>
  static void measure(const Measured<B>& m, typename B::Scalar* out) {
    tap_norms<typename Net::Backbone, B>(m.context, m.f, m.g, out);
  }
  template <class Net, class T>
  static void combine(std::span<const T> measured, PositionScores<T>& scores) {
    tap_scores<typename Net::Backbone, T>(measured, scores.map, scores.image);
  }
};

/// The same map; the image's score also looks at the angle between f and f̂, see residual_scores().
struct ResidualScoring {
  static constexpr std::string_view name = "residual";
  static constexpr bool own_image_scores = true, z_scores = true, needs_bank = false;
  /// The first ones are TapScoring's.
  template <class Net>
  static constexpr Index measures = TapScoring::measures<Net> + deep_taps<typename Net::Backbone>;

  template <class Net, Backend B>
  static void measure(const Measured<B>& m, typename B::Scalar* out) {
    TapScoring::measure<Net, B>(m, out);
    deep_cosines<typename Net::Backbone, B>(m.context, m.f, m.g, out + TapScoring::measures<Net> * m.f.rows);
  }
  template <class Net, class T>
  static void combine(std::span<const T> measured, PositionScores<T>& scores) {
    residual_scores<typename Net::Backbone, T>(measured, scores.map, scores.image);
  }
};

/// Map and image score from the distance to the nearest token of the bank, without any reconstruction.
struct BankScoring {
  static constexpr std::string_view name = "bank";
  static constexpr bool own_image_scores = false, z_scores = false, needs_bank = true;
  template <class Net>
  static constexpr Index measures = 1;

  template <class Net, Backend B>
  static void measure(const Measured<B>& m, typename B::Scalar* out) {
    m.bank->distances(m.context, m.f, m.projections, out);
  }
  template <class Net, class T>
  static void combine(std::span<const T> measured, PositionScores<T>& scores) {
    std::copy(measured.begin(), measured.end(), scores.map.begin());
  }
};

/// The distance d(u) to the nearest token, sharpened by the reconstruction: d·g^¼ for the map and d·r^¼ for the image,
/// where g(u) and r(u) are the map and the image scores of residual_scores().
struct FusedScoring {
  static constexpr std::string_view name = "fused";
  static constexpr bool own_image_scores = true, z_scores = false, needs_bank = true;
  /// The first ones are ResidualScoring's.
  template <class Net>
  static constexpr Index measures = ResidualScoring::measures<Net> + 1;

  template <class Net, Backend B>
  static void measure(const Measured<B>& m, typename B::Scalar* out) {
    ResidualScoring::measure<Net, B>(m, out);
    BankScoring::measure<Net, B>(m, out + ResidualScoring::measures<Net> * m.f.rows);
  }
  template <class Net, class T>
  static void combine(std::span<const T> measured, PositionScores<T>& scores) {
    const std::size_t rows = scores.map.size();
    ResidualScoring::combine<Net, T>(measured.first(measured.size() - rows), scores);
    const std::span<const T> distances = measured.last(rows);
    const auto fuse = [&](std::vector<T>& factors) {
      for (std::size_t u = 0; u < rows; ++u) factors[u] = distances[u] * std::sqrt(std::sqrt(factors[u]));
    };
    fuse(scores.map);
    fuse(scores.image);
  }
};

using ScoringMethods = std::tuple<NormScoring, TapScoring, ResidualScoring, BankScoring, FusedScoring>;
inline constexpr std::size_t scoring_methods = std::tuple_size_v<ScoringMethods>;

namespace detail {
/// The largest number of measures per position.
template <class Net, class... M>
constexpr Index max_measures(std::tuple<M...>) {
  return (std::max)({M::template measures<Net>...});
}
/// The place of a method in the list.
template <class Method, class... M>
constexpr Index place_of(std::tuple<M...>) {
  Index place = 0, found = -1;
  ((found = std::is_same_v<M, Method> ? place : found, ++place), ...);
  return found;
}

template <class F, std::size_t... K>
constexpr void with_scoring(Scoring scoring, F&& f, std::index_sequence<K...>) {
  ((static_cast<std::size_t>(scoring) == K ? f(std::tuple_element_t<K, ScoringMethods>()) : void()), ...);
}
}  // namespace detail

/// Calls f(method) with a value of the method's type.
template <class F>
constexpr void with_scoring(Scoring scoring, F&& f) {
  detail::with_scoring(scoring, f, std::make_index_sequence<scoring_methods>());
}

/// Whether a model without a bank lacks this method.
[[nodiscard]] constexpr bool needs_bank(Scoring scoring) {
  bool needs = false;
  with_scoring(scoring, [&](auto method) { needs = method.needs_bank; });
  return needs;
}

/// The power of the reconstruction error in the map of a method: 0 if the map does not contain it.
[[nodiscard]] constexpr double reconstruction_exponent(Scoring scoring) {
  return scoring == Scoring::bank ? 0.0 : scoring == Scoring::fused ? 0.25 : 1.0;
}

[[nodiscard]] constexpr std::string_view name_of(Scoring scoring) {
  std::string_view name;
  with_scoring(scoring, [&](auto method) { name = method.name; });
  return name;
}

/// Turns the position scores of one image into its score map and its score. Keeps its working memory.
template <class T>
class ImageScorer {
 public:
  ImageScorer(Index grid, Index image_size)
      : score_map_(grid, image_size), image_map_(static_cast<std::size_t>(image_size * image_size)) {}

  /// Writes `map` (image_size²) and returns the image's score: the pooled maximum of the map, or of the map of
  /// scores.image if there are such. NaN if a score that it depends on is not finite.
  double operator()(const PositionScores<T>& scores, std::span<T> map) {
    score_map_.upsample(scores.map, map);
    if (scores.image.empty()) return score_map_.pooled_maximum(map);
    score_map_.upsample(scores.image, image_map_);
    return score_map_.pooled_maximum(image_map_);
  }

 private:
  ScoreMap<T> score_map_;
  std::vector<T> image_map_;
};

}  // namespace ADTR_ABI
}  // namespace adtr

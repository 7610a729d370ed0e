/// The scoring methods: how the difference between features and their reconstruction becomes scores. A method is one
/// type, with an entry in `ScoringMethods`; detector, training run and evaluation all go through `ImageScorer`.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "adtr/models/score_map.hpp"
#include "adtr/models/tap_scores.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The scoring method of a model file, by its place in ScoringMethods.
enum class Scoring : std::uint8_t {
  norm,  ///< NormScoring
  taps   ///< TapScoring
};

/// The position scores of n images, (n, H·W) each.
template <class T>
struct PositionScores {
  std::vector<T> map;    ///< of the score map
  std::vector<T> image;  ///< behind the image's score; empty if the map's are
  /// The scores behind the image's score.
  [[nodiscard]] const std::vector<T>& behind_image() const { return image.empty() ? map : image; }
};

/// The paper's: map and image score from ‖f(u) − f̂(u)‖₂.
struct NormScoring {
  static constexpr std::string_view name = "norm";  ///< in model files
  /// Whether the image's score is the maximum of a map of its own: z-scores, over the training images, of
  /// PositionScores::image.
  static constexpr bool own_image_scores = false;
  /// Number of norms per position, which the backend computes.
  template <class Net>
  static constexpr Index norms = 1;

  /// Writes norms (norms, rows) from features and reconstruction (rows, C), all in the backend's memory.
  template <class Net, Backend B>
  static void write_norms(const typename B::Context& context, MatrixIn<B> f, MatrixIn<B> g, typename B::Scalar* norms) {
    B::difference_norm(context, f, g, norms);
  }
  /// Makes position scores of the norms, in the host's memory; `scores` has its sizes.
  template <class Net, class T>
  static void combine(std::span<const T> norms, PositionScores<T>& scores) {
    std::copy(norms.begin(), norms.end(), scores.map.begin());
  }
};

/// The fast recipe's, see tap_scores(): the map weights all taps equally, and the image's score comes from the two
/// deepest.
struct TapScoring {
  static constexpr std::string_view name = "taps";
  static constexpr bool own_image_scores = true;
  template <class Net>
  static constexpr Index norms = static_cast<Index>(Net::Backbone::taps.size());

  template <class Net, Backend B>
  static void write_norms(const typename B::Context& context, MatrixIn<B> f, MatrixIn<B> g, typename B::Scalar* norms) {
    tap_norms<typename Net::Backbone, B>(context, f, g, norms);
  }
  template <class Net, class T>
  static void combine(std::span<const T> norms, PositionScores<T>& scores) {
    tap_scores<typename Net::Backbone, T>(norms, scores.map, scores.image);
  }
};

using ScoringMethods = std::tuple<NormScoring, TapScoring>;
inline constexpr std::size_t scoring_methods = std::tuple_size_v<ScoringMethods>;

namespace detail {
/// The largest number of norms per position.
template <class Net, class... M>
constexpr Index max_norms(std::tuple<M...>) {
  return (std::max)({M::template norms<Net>...});
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

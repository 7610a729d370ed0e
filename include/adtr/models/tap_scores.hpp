/// Position scores from the taps of the backbone: from the size of the difference between features and reconstruction,
/// and from the angle between them.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

#include "adtr/backend/backend.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {
template <class Backbone, std::size_t... K>
constexpr std::array<Index, sizeof...(K)> tap_widths(std::index_sequence<K...>) {
  return {Backbone::template Tap<K>::channels...};
}
}  // namespace detail

/// Number of channels of each tap.
template <class Backbone>
inline constexpr auto tap_widths = detail::tap_widths<Backbone>(std::make_index_sequence<Backbone::taps.size()>());

/// Writes norms (taps, rows): ‖f(u) − g(u)‖₂ over the channels of each tap. f and g are (rows, channels). All are in
/// the backend's memory.
template <class Backbone, Backend B>
void tap_norms(const typename B::Context& context, MatrixIn<B> f, MatrixIn<B> g, typename B::Scalar* norms) {
  Index first = 0;
  for (const Index width : tap_widths<Backbone>) {
    B::difference_norm(context, f.columns(first, width), g.columns(first, width), norms);
    first += width;
    norms += f.rows;
  }
}

/// Number of the deepest taps that the image's score looks at: two, or one if there is only one.
template <class Backbone>
inline constexpr Index deep_taps = (std::min)(static_cast<Index>(Backbone::taps.size()), Index{2});

/// Writes cosines (deep_taps, rows): 1 − cos(f(u), g(u)) over the channels of each of the deepest taps. f and g are
/// (rows, channels). All are in the backend's memory.
template <class Backbone, Backend B>
void deep_cosines(const typename B::Context& context, MatrixIn<B> f, MatrixIn<B> g, typename B::Scalar* cosines) {
  constexpr auto taps = static_cast<Index>(Backbone::taps.size());
  Index first = 0;
  for (Index k = 0; k < taps; ++k) {
    const Index width = tap_widths<Backbone>[static_cast<std::size_t>(k)];
    if (k >= taps - deep_taps<Backbone>) {
      B::cosine_distance(context, f.columns(first, width), g.columns(first, width), cosines);
      cosines += f.rows;
    }
    first += width;
  }
}

/// With t_k(u) = √(mean over the channels of tap k of (f(u) − g(u))²), taps in order of depth:
/// map(u) = exp(mean_k ln(t_k(u) + 0.001)), about the geometric mean over the taps, and deep(u) = the sum of t_k(u)
/// over the two deepest taps. The deepest tap, which has most channels, dominates the plain norm: it finds defects, but
/// blurs them. The offset 0.001 is small because f and g are standardised. norms (taps, rows) come from tap_norms();
/// map and deep are (rows).
template <class Backbone, class T>
void tap_scores(std::span<const T> norms, std::span<T> map, std::span<T> deep) {
  constexpr std::size_t taps = Backbone::taps.size();
  constexpr T least = static_cast<T>(1e-3);
  const std::size_t rows = map.size();
  for (std::size_t k = 0; k < taps; ++k) {
    const T scale = static_cast<T>(1.0 / std::sqrt(static_cast<double>(tap_widths<Backbone>[k])));
    for (std::size_t u = 0; u < rows; ++u) {
      const T t = norms[k * rows + u] * scale;
      map[u] = (k == 0 ? T{0} : map[u]) + std::log(t + least);
      deep[u] = k + 2 > taps && k > 0 ? deep[u] + t : t;
    }
  }
  for (T& m : map) m = std::exp(m / static_cast<T>(taps));
}

/// The same map, and r(u) = √(deep(u) · Σ c_k(u)), where c_k = 1 − cos(f, g) of tap k, summed over the deepest taps
/// like t_k. On a blank background, where the features are small, the cosine alone is noise; its product with the norm
/// is not. measured: (taps, rows) of tap_norms(), then (deep_taps, rows) of deep_cosines().
template <class Backbone, class T>
void residual_scores(std::span<const T> measured, std::span<T> map, std::span<T> residual) {
  const std::size_t rows = map.size(), taps = Backbone::taps.size();
  tap_scores<Backbone, T>(measured.first(taps * rows), map, residual);
  const std::span<const T> cosines = measured.subspan(taps * rows);
  for (std::size_t u = 0; u < rows; ++u) {
    T sum{0};
    for (std::size_t k = 0; k < static_cast<std::size_t>(deep_taps<Backbone>); ++k) sum += cosines[k * rows + u];
    residual[u] = std::sqrt(residual[u] * sum);
  }
}

}  // namespace ADTR_ABI
}  // namespace adtr

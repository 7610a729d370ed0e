/// The fast recipe's position scores, in which every tap of the backbone counts alike.
#pragma once

#include <array>
#include <cmath>
#include <span>
#include <utility>

#include "adtr/backend/backend.hpp"

namespace adtr::inline ADTR_ABI {

/// With t_k(u) = √(mean over the channels of tap k of (f(u) − g(u))²), taps in order of depth:
/// map(u) = exp(mean_k ln(t_k(u) + 0.001)), the taps' geometric mean, and deep(u) = the sum of t_k(u) over the two
/// deepest taps. The plain norm is mostly the deepest tap's, which has most channels and finds defects, but blurs them.
/// `rows` positions each; f and g (rows, channels) standardised, so that a thousandth is little; scratch (rows).
template <class Backbone, Backend B>
void tap_scores(const typename B::Context& context, MatrixIn<B> f, MatrixIn<B> g, std::span<typename B::Scalar> map,
                std::span<typename B::Scalar> deep, std::span<typename B::Scalar> scratch) {
  using T = typename B::Scalar;
  constexpr std::size_t taps = Backbone::taps.size();
  constexpr auto widths = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<Index, taps>{Backbone::template Tap<I>::channels...};
  }
  (std::make_index_sequence<taps>{});
  constexpr T least = static_cast<T>(1e-3);
  const auto rows = static_cast<std::size_t>(f.rows);
  Index first = 0;
  for (std::size_t k = 0; k < taps; ++k) {
    B::difference_norm(context, f.columns(first, widths[k]), g.columns(first, widths[k]), scratch.data());
    const T scale = static_cast<T>(1.0 / std::sqrt(static_cast<double>(widths[k])));
    for (std::size_t u = 0; u < rows; ++u) {
      const T t = scratch[u] * scale;
      map[u] = (k == 0 ? T{0} : map[u]) + std::log(t + least);
      deep[u] = k + 2 > taps && k > 0 ? deep[u] + t : t;
    }
    first += widths[k];
  }
  for (std::size_t u = 0; u < rows; ++u) map[u] = std::exp(map[u] / static_cast<T>(taps));
}

}  // namespace adtr::inline ADTR_ABI

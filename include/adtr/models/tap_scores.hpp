/// The fast recipe's position scores, in which every tap of the backbone counts alike.
#pragma once

#include <array>
#include <cmath>
#include <span>
#include <utility>

#include "adtr/nn/transfer.hpp"

namespace adtr::inline ADTR_ABI {

/// With t_k(u) = √(mean over the channels of tap k of (f(u) − g(u))²), taps in order of depth:
/// map(u) = exp(mean_k ln(t_k(u) + 0.001)), the taps' geometric mean, and deep(u) = the sum of t_k(u) over the two
/// deepest taps. The plain norm is mostly the deepest tap's, which has most channels and finds defects, but blurs them.
/// `rows` positions each; f and g (rows, channels), in the backend's memory, standardised, so that a thousandth is
/// little; norms (taps, rows), and `room` for them on their way.
template <class Backbone, Backend B>
void tap_scores(const typename B::Context& context, MatrixIn<B> f, MatrixIn<B> g, std::span<typename B::Scalar> map,
                std::span<typename B::Scalar> deep, std::span<typename B::Scalar> norms, typename B::Memory& room) {
  using T = typename B::Scalar;
  constexpr std::size_t taps = Backbone::taps.size();
  constexpr auto widths = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<Index, taps>{Backbone::template Tap<I>::channels...};
  }
  (std::make_index_sequence<taps>{});
  constexpr T least = static_cast<T>(1e-3);
  const auto rows = static_cast<std::size_t>(f.rows);
  fetch<B>(context, norms.data(), static_cast<Index>(taps) * f.rows, room, [&](T* to) {
    for (Index k = 0, first = 0; k < static_cast<Index>(taps); ++k) {
      const Index width = widths[static_cast<std::size_t>(k)];
      B::difference_norm(context, f.columns(first, width), g.columns(first, width), to + k * f.rows);
      first += width;
    }
  });
  for (std::size_t k = 0; k < taps; ++k) {
    const T scale = static_cast<T>(1.0 / std::sqrt(static_cast<double>(widths[k])));
    for (std::size_t u = 0; u < rows; ++u) {
      const T t = norms[k * rows + u] * scale;
      map[u] = (k == 0 ? T{0} : map[u]) + std::log(t + least);
      deep[u] = k + 2 > taps && k > 0 ? deep[u] + t : t;
    }
  }
  for (std::size_t u = 0; u < rows; ++u) map[u] = std::exp(map[u] / static_cast<T>(taps));
}

}  // namespace adtr::inline ADTR_ABI

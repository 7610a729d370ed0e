/// The losses of training with anomalies: L_px from masks (equation 7 of the paper), L_img from image labels.
///
/// With φ(u) = √((mean over channels of |f(u) − f̂(u)|)² + 1) − 1, a pseudo-Huber distance, they pull normal positions
/// together and push anomalous ones apart. Gradients are with respect to f̂.
#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "adtr/core/error.hpp"
#include "adtr/nn/transfer.hpp"

namespace adtr::inline ADTR_ABI {

namespace detail {

/// What −α·log(1 − e⁻ˣ) and its gradient see at least: at f̂ = f, x is 0 and they would be infinite. Below it the
/// gradient is 0, that of the clamped form.
inline constexpr double least_distance = 1e-8;

struct Push {
  double loss, slope;
};

/// −α·log(1 − e⁻ˣ) and its derivative −α/(eˣ − 1); x ≥ 0.
[[nodiscard]] inline Push push_apart(double x, double alpha) {
  const double clamped = x < least_distance ? least_distance : x;  // NaN stays NaN
  return {-alpha * std::log(-std::expm1(-clamped)), x < least_distance ? 0.0 : -alpha / std::expm1(x)};
}

/// φ of a mean difference m, without the cancellation of √(m² + 1) − 1.
[[nodiscard]] inline double pseudo_huber(double m) { return m * (m / (std::hypot(m, 1.0) + 1.0)); }

/// The tokens' φ, then what `image(phi, anomalous, slopes)` makes of each image's, slopes = ∂L/∂φ, all 0 at first.
template <Backend B, class F>
double anomaly_loss(const typename B::Context& context, MatrixIn<B> f, MatrixIn<B> g,
                    std::span<const std::uint8_t> anomalous, Index tokens, double scale, MatrixOut<B> dg, F&& image) {
  using T = typename B::Scalar;
  assert(static_cast<Index>(anomalous.size()) == f.rows && f.rows % tokens == 0);
  std::vector<T> weights(anomalous.size());
  typename B::Memory room;
  fetch<B>(context, weights.data(), f.rows, room, [&](T* means) { B::mean_difference(context, f, g, means); });
  const auto n = static_cast<std::size_t>(tokens);
  std::vector<double> phi(n), slopes(n);
  double sum = 0.0;
  for (std::size_t first = 0; first < weights.size(); first += n) {
    T* const m = weights.data() + first;  // becomes the weights of the signs
    for (std::size_t u = 0; u < n; ++u) phi[u] = pseudo_huber(static_cast<double>(m[u]));
    std::fill(slopes.begin(), slopes.end(), 0.0);
    sum += image(phi, anomalous.subspan(first, n), slopes);
    for (std::size_t u = 0; u < n; ++u) {
      const auto mean = static_cast<double>(m[u]);
      m[u] = static_cast<T>(scale * slopes[u] * (mean / std::hypot(mean, 1.0)) / static_cast<double>(f.cols));
    }
  }
  B::sign_gradient(context, f, g, brought<B>(context, weights.data(), f.rows, room), dg);
  return sum;
}

}  // namespace detail

/// L_px of each image, summed: 1/T Σ (1 − y)φ − α·log(1 − exp(−1/T Σ yφ)) over its T = `tokens` tokens, the second term
/// only where the image has an anomalous token. f, f̂ and dg have images·T rows; anomalous holds their y, 0 or 1.
/// dg = scale·∂/∂f̂. Not a number where f or f̂ has one.
template <Backend B>
double pixel_loss(const typename B::Context& context, MatrixIn<B> f, MatrixIn<B> g,
                  std::span<const std::uint8_t> anomalous, Index tokens, double alpha, double scale, MatrixOut<B> dg) {
  return detail::anomaly_loss<B>(
      context, f, g, anomalous, tokens, scale, dg,
      [&](const std::vector<double>& phi, std::span<const std::uint8_t> y, std::vector<double>& slopes) {
        const double share = 1.0 / static_cast<double>(tokens);
        double normal = 0.0, distance = 0.0;
        bool any = false;
        for (std::size_t u = 0; u < phi.size(); ++u) {
          (y[u] != 0 ? distance : normal) += share * phi[u];
          any = any || y[u] != 0;
        }
        const detail::Push push = any ? detail::push_apart(distance, alpha) : detail::Push{0.0, 0.0};
        for (std::size_t u = 0; u < phi.size(); ++u) slopes[u] = share * (y[u] != 0 ? push.slope : 1.0);
        return normal + push.loss;
      });
}

/// L_img of each image, summed: (1 − y)q − α·y·log(1 − e⁻q), q the mean of the `top` largest φ (of equal ones the
/// first; all where there are fewer tokens), y whether any of the image's tokens is marked in `anomalous`. The rest as
/// pixel_loss.
template <Backend B>
double image_loss(const typename B::Context& context, MatrixIn<B> f, MatrixIn<B> g,
                  std::span<const std::uint8_t> anomalous, Index tokens, Index top, double alpha, double scale,
                  MatrixOut<B> dg) {
  if (top < 1) throw Error("image loss: expected at least 1 of the largest distances, found " + std::to_string(top));
  const auto k = static_cast<std::size_t>(std::min(top, tokens));
  std::vector<std::size_t> order(static_cast<std::size_t>(tokens));
  return detail::anomaly_loss<B>(
      context, f, g, anomalous, tokens, scale, dg,
      [&](const std::vector<double>& phi, std::span<const std::uint8_t> y, std::vector<double>& slopes) {
        for (const double p : phi)
          if (std::isnan(p)) return p;  // has no place in an order
        std::iota(order.begin(), order.end(), std::size_t{0});
        const auto middle = order.begin() + static_cast<std::ptrdiff_t>(k);
        std::partial_sort(order.begin(), middle, order.end(),
                          [&](std::size_t a, std::size_t b) { return phi[a] > phi[b] || (phi[a] == phi[b] && a < b); });
        const double share = 1.0 / static_cast<double>(k);
        double q = 0.0;
        std::for_each(order.begin(), middle, [&](std::size_t u) { q += share * phi[u]; });
        const bool any = std::any_of(y.begin(), y.end(), [](std::uint8_t mark) { return mark != 0; });
        const detail::Push result = any ? detail::push_apart(q, alpha) : detail::Push{q, 1.0};
        std::for_each(order.begin(), middle, [&](std::size_t u) { slopes[u] = share * result.slope; });
        return result.loss;
      });
}

}  // namespace adtr::inline ADTR_ABI

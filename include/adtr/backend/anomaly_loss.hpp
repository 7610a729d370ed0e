/// The losses of training with anomalies: L_px from masks (equation 7 of the paper), L_img from image labels.
///
/// Both losses use the pseudo-Huber distance φ(u) = √(m(u)² + 1) − 1, where m(u) is the mean over channels of
/// |f(u) − f̂(u)|. They pull f̂ towards f at normal tokens and push it away at anomalous ones. For an image of T tokens,
/// L_px = 1/T Σ (1 − y)φ − α·log(1 − exp(−1/T Σ yφ)), with y = 1 at anomalous tokens; the second term is present only
/// if a token is anomalous. L_img = (1 − y)q − α·y·log(1 − e⁻q), where q is the mean of the largest φ, and y = 1 if a
/// token of the image is anomalous.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "adtr/core/view.hpp"

// Marks functions that GPU kernels call too: they read nothing but their arguments.
#if defined(__CUDACC__)
#define ADTR_HOST_DEVICE __host__ __device__
#else
#define ADTR_HOST_DEVICE
#endif

namespace adtr {
inline namespace ADTR_ABI {

struct AnomalyLoss {
  bool by_label = false;  ///< use L_img instead of L_px
  Index top = 1;          ///< number of largest φ that q averages, at least 1; all φ if there are fewer
  double alpha = 0.003;   ///< α, weight of the term for anomalous tokens
  double scale = 1.0;     ///< multiplies the loss and its gradient
  Index channels = 1;     ///< number of channels that m averages
};

namespace detail {

/// Lower bound on x in −α·log(1 − e⁻ˣ): at f̂ = f, x is 0 and the loss and its gradient would be infinite. Below the
/// bound the gradient is 0, as for any clamped value.
inline constexpr double min_distance = 1e-8;

struct Push {
  double loss, slope;
};

/// −α·log(1 − e⁻ˣ) and its derivative −α/(eˣ − 1); x ≥ 0.
[[nodiscard]] ADTR_HOST_DEVICE inline Push push_apart(double x, double alpha) {
  const double clamped = x < min_distance ? min_distance : x;  // NaN stays NaN
  return {-alpha * std::log(-std::expm1(-clamped)), x < min_distance ? 0.0 : -alpha / std::expm1(x)};
}

/// φ for a mean difference m, computed without the cancellation in √(m² + 1) − 1.
[[nodiscard]] ADTR_HOST_DEVICE inline double pseudo_huber(double m) { return m * (m / (std::hypot(m, 1.0) + 1.0)); }

/// Factor of sign(f̂ − f) in the gradient at a token, given slope = ∂L/∂φ.
[[nodiscard]] ADTR_HOST_DEVICE inline double sign_weight(const AnomalyLoss& loss, double slope, double m) {
  return loss.scale * slope * (m / std::hypot(m, 1.0)) / static_cast<double>(loss.channels);
}

}  // namespace detail

/// Base class of backends that run on the host.
template <class T>
struct HostLosses {
  template <class Context>
  static void anomaly_weights(const Context&, const AnomalyLoss& loss, MatrixView<const T> y, MatrixView<const T> m,
                              MatrixView<T> w, double* sum) {
    const auto tokens = static_cast<std::size_t>(m.cols);
    std::vector<double> phi(tokens), slopes(tokens);
    for (Index n = 0; n < m.rows; ++n) {
      std::transform(m.row(n), m.row(n) + tokens, phi.begin(),
                     [](T mean) { return detail::pseudo_huber(static_cast<double>(mean)); });
      *sum +=
          loss.scale * (loss.by_label ? by_label(loss, y.row(n), phi, slopes) : by_pixels(loss, y.row(n), phi, slopes));
      for (std::size_t u = 0; u < tokens; ++u)
        w.row(n)[u] = static_cast<T>(detail::sign_weight(loss, slopes[u], static_cast<double>(m.row(n)[u])));
    }
  }

 private:
  /// Returns L_px of one image and writes its slopes ∂L/∂φ.
  static double by_pixels(const AnomalyLoss& loss, const T* y, const std::vector<double>& phi,
                          std::vector<double>& slopes) {
    const double share = 1.0 / static_cast<double>(phi.size());
    double normal = 0.0, distance = 0.0;
    bool any = false;
    for (std::size_t u = 0; u < phi.size(); ++u) {
      (y[u] != T{0} ? distance : normal) += share * phi[u];
      any = any || y[u] != T{0};
    }
    const detail::Push push = any ? detail::push_apart(distance, loss.alpha) : detail::Push{0.0, 0.0};
    for (std::size_t u = 0; u < phi.size(); ++u) slopes[u] = share * (y[u] != T{0} ? push.slope : 1.0);
    return normal + push.loss;
  }

  /// Returns L_img of one image and writes its slopes. Ties among φ go to the first token. Returns NaN if a φ is NaN,
  /// because NaN cannot be sorted.
  static double by_label(const AnomalyLoss& loss, const T* y, const std::vector<double>& phi,
                         std::vector<double>& slopes) {
    std::fill(slopes.begin(), slopes.end(), 0.0);
    for (const double p : phi)
      if (std::isnan(p)) return p;
    std::vector<std::size_t> order(phi.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const Index k = (std::min)(loss.top, static_cast<Index>(phi.size()));
    const auto middle = order.begin() + k;
    std::partial_sort(order.begin(), middle, order.end(),
                      [&](std::size_t a, std::size_t b) { return phi[a] > phi[b] || (phi[a] == phi[b] && a < b); });
    const double share = 1.0 / static_cast<double>(k);
    double q = 0.0;
    std::for_each(order.begin(), middle, [&](std::size_t u) { q += share * phi[u]; });
    const bool any = std::any_of(y, y + phi.size(), [](T anomalous) { return anomalous != T{0}; });
    const detail::Push result = any ? detail::push_apart(q, loss.alpha) : detail::Push{q, 1.0};
    std::for_each(order.begin(), middle, [&](std::size_t u) { slopes[u] = share * result.slope; });
    return result.loss;
  }
};

}  // namespace ADTR_ABI
}  // namespace adtr

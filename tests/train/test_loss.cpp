// L_px and L_img: gradients against differences, guards, and the same results on every backend. (For PyTorch's values
// see tests/golden.)
#include "adtr/train/loss.hpp"

#include <functional>
#include <limits>

#include "adtr/backend/cpu.hpp"
#include "adtr/backend/eigen.hpp"
#include "backend/numbers.hpp"
#include "support/catch.hpp"
#include "support/threads.hpp"

using suite::Index;
using Oracle = adtr::Reference<double>;

namespace {

constexpr Index positions = 6, channels = 5;
constexpr double alpha = 0.003;
using Flags = std::vector<std::uint8_t>;

template <class T>
struct Result {
  double loss = 0.0;
  std::vector<T> gradient;
};

/// top 0 means L_px.
template <class B>
Result<typename B::Scalar> loss_of(const std::vector<typename B::Scalar>& f, const std::vector<typename B::Scalar>& g,
                                   const Flags& flags, Index top, double scale = 1.0, int threads = 1,
                                   Index columns = channels) {
  const auto rows = static_cast<Index>(flags.size());
  Result<typename B::Scalar> result{0.0, std::vector<typename B::Scalar>(f.size(), 77)};
  const auto context = support::context<B>(threads);
  const adtr::MatrixIn<B> fs(f.data(), rows, columns), gs(g.data(), rows, columns);
  const adtr::MatrixOut<B> dg(result.gradient.data(), rows, columns);
  const std::vector<typename B::Scalar> y(flags.begin(), flags.end());
  std::vector<typename B::Scalar> means(y.size()), weights(y.size());
  const auto images = [&](auto* data) { return adtr::MatrixView(data, 2, rows / 2); };
  adtr::anomaly_loss<B>(context, {top != 0, top, alpha, scale}, fs, gs, images(y.data()), images(means.data()),
                        images(weights.data()), dg, &result.loss);
  return result;
}

const Flags some{0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, none(12, 0), all(12, 1);

template <class T>
bool finite(const std::vector<T>& values) {
  return std::all_of(values.begin(), values.end(), [](T x) { return std::isfinite(x); });
}

}  // namespace

TEST_CASE("The gradients of L_px and L_img match differences") {
  const auto f = suite::numbers<double>(2 * positions * channels, 1);
  auto g = suite::numbers<double>(2 * positions * channels, 2);
  const Index top = GENERATE(0, 1, 3, 6, 20);
  for (const Flags& flags : {some, none, all}) {
    const auto exact = loss_of<Oracle>(f, g, flags, top, 0.25);
    for (std::size_t i = 0; i < g.size(); ++i) {
      constexpr double h = 1e-6;
      const double at = g[i];
      g[i] = at + h;
      const double above = loss_of<Oracle>(f, g, flags, top).loss;
      g[i] = at - h;
      const double below = loss_of<Oracle>(f, g, flags, top).loss;
      g[i] = at;
      CHECK(exact.gradient[i] == Approx(0.25 * (above - below) / (2 * h)).epsilon(1e-6).margin(1e-9));
    }
  }
}

TEST_CASE("A normal image has no second term, and anomalous positions are pushed the other way") {
  const auto f = suite::numbers<double>(2 * positions * channels, 1);
  const auto g = suite::numbers<double>(2 * positions * channels, 2);
  const auto normal = loss_of<Oracle>(f, g, none, 0), marked = loss_of<Oracle>(f, g, all, 0);
  CHECK(normal.loss > 0.0);
  for (std::size_t i = 0; i < f.size(); ++i) {
    CHECK(normal.gradient[i] * (g[i] - f[i]) > 0.0);
    CHECK(marked.gradient[i] * (g[i] - f[i]) < 0.0);
  }
}

TEMPLATE_TEST_CASE("A perfect or a hopeless reconstruction gives finite gradients", "", Oracle, adtr::Reference<float>,
                   adtr::EigenBackend, adtr::Cpu) {
  using T = typename TestType::Scalar;
  const auto f = suite::numbers<T>(2 * positions * channels, 1);
  const Index top = GENERATE(0, 1, 3);
  for (const Flags& flags : {some, none, all}) {
    const auto perfect = loss_of<TestType>(f, f, flags, top);
    CHECK(std::isfinite(perfect.loss));
    CHECK(perfect.gradient == std::vector<T>(f.size(), T{0}));
    if (flags == none) CHECK(perfect.loss == 0.0);
    // At the guard: α·log(10⁸) for each anomalous image.
    if (flags == all) CHECK(perfect.loss == Approx(2 * alpha * 8 * std::log(10.0)).epsilon(1e-6));

    for (const double step : {1e-30, 1e-12, 1e-6, 1e-4, 1e-3}) {
      auto near = std::vector<T>(f.size(), T{0}), zero = near;
      std::fill(near.begin(), near.end(), static_cast<T>(step));
      const auto result = loss_of<TestType>(zero, near, flags, top);
      CHECK(std::isfinite(result.loss));
      CHECK(finite(result.gradient));
      // 1/(1/T Σ yφ) · φ' / C with φ = m²/2 is largest at the guard.
      for (const T d : result.gradient) CHECK(std::abs(static_cast<double>(d)) < 10 * alpha * 2e4 + 1.0);
    }
    const double huge = std::same_as<T, double> ? 1e200 : 1e30;
    std::vector<T> far(f.size(), static_cast<T>(huge));
    const auto result = loss_of<TestType>(f, far, flags, top);
    CHECK(std::isfinite(result.loss));
    CHECK(finite(result.gradient));
    if (flags == all) CHECK(result.gradient == std::vector<T>(f.size(), T{0}));  // anomalous and already far apart
  }
}

TEST_CASE("A reconstruction that is not a number gives a loss that is not a number") {
  const auto f = suite::numbers<double>(2 * positions * channels, 1);
  auto g = f;
  g[7] = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(loss_of<Oracle>(f, g, some, 0).loss));
  CHECK(std::isnan(loss_of<Oracle>(f, g, none, 0).loss));
  CHECK(std::isnan(loss_of<Oracle>(f, g, none, 3).loss));
  CHECK(std::isnan(loss_of<Oracle>(f, g, all, 3).loss));
}

TEST_CASE("Among equal distances, the first ones count") {
  std::vector<double> f(2 * positions * channels, 0.0), g(f.size(), 1.0);
  const auto result = loss_of<Oracle>(f, g, none, 2);
  for (Index u = 0; u < 2 * positions; ++u)
    CHECK((result.gradient[static_cast<std::size_t>(u * channels)] != 0.0) == (u % positions < 2));
  REQUIRE_THROWS_WITH(loss_of<Oracle>(f, g, none, -1), ContainsSubstring("found -1"));
}

TEMPLATE_TEST_CASE("Backends agree on both losses, for any number of threads", "", adtr::Reference<float>,
                   adtr::EigenBackend, adtr::Cpu) {
  constexpr Index rows = 2 * 64, columns = 515;
  Flags flags(rows, 0);
  for (std::size_t i = 0; i < rows; i += 7) flags[i] = 1;
  const auto exact_f = suite::numbers<double>(rows * columns, 1), exact_g = suite::numbers<double>(rows * columns, 2);
  const auto f = suite::numbers<float>(rows * columns, 1), g = suite::numbers<float>(rows * columns, 2);
  for (const Index top : {0, 20}) {
    const auto expected = loss_of<Oracle>(exact_f, exact_g, flags, top, 1.0, 1, columns);
    const auto one = loss_of<TestType>(f, g, flags, top, 1.0, 1, columns);
    CHECK(one.loss == Approx(expected.loss).epsilon(1e-6));
    CHECK(suite::error(one.gradient, expected.gradient) < 1e-6);
    const auto three = loss_of<TestType>(f, g, flags, top, 1.0, 3, columns);
    CHECK((three.loss == one.loss && three.gradient == one.gradient));
  }
}

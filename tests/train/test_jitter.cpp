// Noise on the network's input.
#include "train/small.hpp"

using adtr::Index;

TEST_CASE("Jitter is uniform noise of the stated deviation, a function of the stream alone") {
  constexpr Index rows = 40, cols = 500;
  std::vector<double> f(static_cast<std::size_t>(rows * cols)), seen(f.size()), again(f.size());
  adtr::RandomStream values(1, 0);
  for (std::size_t i = 0; i < f.size(); ++i) f[i] = values.normal() * static_cast<double>(1 + i / cols % 7);
  std::fill_n(f.begin(), cols, 0.0);
  const adtr::MatrixView<const double> in(f.data(), rows, cols);
  const double jitter = GENERATE(0.25, 1.0);
  const auto add = [&](std::uint64_t stream, std::vector<double>& to) {
    adtr::RandomStream random(3, stream);
    adtr::add_jitter<double>(in, jitter, random, {to.data(), rows, cols});
  };
  add(9, seen);
  add(9, again);
  CHECK(seen == again);
  CHECK(std::equal(seen.begin(), seen.begin() + cols, f.begin()));  // the noise of a token of zeros is zero
  for (Index r = 1; r < rows; ++r) {
    double squares = 0.0, sum = 0.0, noise = 0.0, largest = 0.0;
    for (Index c = 0; c < cols; ++c) {
      const auto i = static_cast<std::size_t>(r * cols + c);
      const double d = seen[i] - f[i];
      squares += f[i] * f[i];
      sum += d;
      noise += d * d;
      largest = std::max(largest, std::abs(d));
    }
    const double deviation = jitter * std::sqrt(squares / cols);
    CHECK(std::abs(sum / cols) < 0.2 * deviation);
    CHECK(std::sqrt(noise / cols) == Approx(deviation).epsilon(0.12));
    CHECK(largest < std::sqrt(3.0) * deviation);
    CHECK(largest > 1.6 * deviation);  // normal noise would reach further
  }
  add(10, again);
  CHECK(seen != again);
}

TEST_CASE("With jitter the loss compares with the features without it, and its gradient matches differences") {
  using Trainer = adtr::Trainer<small::Net, adtr::Reference<double>>;
  adtr::FeatureCache<double> cache(3, small::tokens, small::channels, 1 << 30);
  small::fill(cache);
  auto o = small::options();
  o.jitter = 0.7;
  Trainer trainer(adtr::reference::Context(1), cache, o);
  auto p = trainer.parameters();
  adtr::initialise<small::Net, double>(p, 2);
  constexpr Index step = 4;
  trainer.gradient(cache.rows(), step);
  const auto span = trainer.gradients().span();
  const std::vector<double> gradient(span.begin(), span.end());
  const auto parameters = trainer.state().parameters.span();
  adtr::RandomStream random(8, 0);
  for (int i = 0; i < 60; ++i) {
    const std::size_t at = random.below(parameters.size());
    const double h = 1e-5, before = parameters[at];
    parameters[at] = before + h;
    const double above = trainer.gradient(cache.rows(), step);
    parameters[at] = before - h;
    const double below = trainer.gradient(cache.rows(), step);
    parameters[at] = before;
    INFO("parameter " << at);
    CHECK(gradient[at] == Approx((above - below) / (2 * h)).epsilon(1e-4).margin(1e-5));
  }
  // Another step has different noise. Without jitter there is none, and the input is the target.
  const double loss = trainer.gradient(cache.rows(), step);
  CHECK(trainer.gradient(cache.rows(), step + 1) != loss);
  o.jitter = 0.0;
  Trainer plain(adtr::reference::Context(1), cache, o);
  std::copy(parameters.begin(), parameters.end(), plain.state().parameters.data());
  CHECK(plain.gradient(cache.rows(), step) == plain.gradient(cache.rows(), step + 1));
}

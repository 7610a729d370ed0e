/// Compares the scores that weight every tap equally with their formula in double.
#include "adtr/models/tap_scores.hpp"

#include "adtr/backend/cpu.hpp"
#include "adtr/backend/reference.hpp"
#include "adtr/core/random.hpp"
#include "adtr/models/catalogue.hpp"
#include "support/catch.hpp"

namespace {

using adtr::Architecture;
using adtr::Index;
using adtr::Taps;

template <class B, class N>
void check(const std::vector<Index>& widths) {
  using T = typename B::Scalar;
  using Backbone = typename N::type::Backbone;
  constexpr Index rows = 6, channels = N::type::Features::channels;
  std::vector<T> f(rows * channels), g(f.size());
  adtr::RandomStream random(3, 0);
  for (T& x : f) x = static_cast<T>(random.normal());
  // Differences of all sizes, and none at all at position 2.
  for (std::size_t i = 0; i < g.size(); ++i) {
    const auto u = i / static_cast<std::size_t>(channels);
    g[i] = u == 2 ? f[i] : f[i] + static_cast<T>(random.normal() * std::pow(10.0, static_cast<double>(u) - 3.0));
  }
  std::vector<T> map(rows), deep(rows), norms(Backbone::taps.size() * rows);
  const typename B::Context context(1);
  adtr::tap_norms<Backbone, B>(context, {f.data(), rows, channels}, {g.data(), rows, channels}, norms.data());
  adtr::tap_scores<Backbone, T>(norms, map, deep);
  for (Index u = 0; u < rows; ++u) {
    std::vector<double> t;
    Index first = 0;
    for (const Index width : widths) {
      double squares = 0.0;
      for (Index c = first; c < first + width; ++c) {
        const auto i = static_cast<std::size_t>(u * channels + c);
        squares += std::pow(static_cast<double>(f[i]) - static_cast<double>(g[i]), 2);
      }
      t.push_back(std::sqrt(squares / static_cast<double>(width)));
      first += width;
    }
    REQUIRE(first == channels);
    double product = 1.0;
    for (const double x : t) product *= std::pow(x + 1e-3, 1.0 / static_cast<double>(t.size()));
    const double last = t.size() == 1 ? t[0] : t[t.size() - 1] + t[t.size() - 2];
    INFO(u);
    CHECK(static_cast<double>(map[static_cast<std::size_t>(u)]) == Approx(product).epsilon(1e-4));
    CHECK(static_cast<double>(deep[static_cast<std::size_t>(u)]) == Approx(last).epsilon(1e-4).margin(1e-7));
  }
}

}  // namespace

TEMPLATE_TEST_CASE("tap scores are their formula", "", adtr::Reference<double>, adtr::Cpu) {
  using Lite0 = adtr::Network<Architecture::efficientnet_lite0>;
  check<TestType, Lite0>({16, 24, 40, 112, 320});
  check<TestType, adtr::Network<Architecture::resnet18>>({64, 128, 256});
  check<TestType, adtr::Network<Architecture::efficientnet_lite0, 256, 16, adtr::TransformerSpec{}, Taps::last>>({320});
}

/// Area pooling and the scores residual, bank and fused against PyTorch and NumPy.
#include "golden/backends.hpp"
#include "golden/score_checks.hpp"

namespace {
using B0 = adtr::Network<adtr::Architecture::efficientnet_b0, 32, 8>;
using ResNet18 = adtr::Network<adtr::Architecture::resnet18, 32, 8>;
}  // namespace

TEMPLATE_LIST_TEST_CASE("The scores of given features equal NumPy's to 1e-6", "[golden]", golden::Backends) {
  using T = typename TestType::Scalar;
  using Features = B0::type::Features;
  const auto of = [](const char* name, double scale) {
    return formula::uniform<float>(name, static_cast<std::size_t>(Features::size), scale);
  };
  const std::vector<float> x = of("scores.x", 2.0), e = of("scores.e", 1.0);
  const std::vector<T> f(x.begin(), x.end());
  std::vector<T> g(x.size());
  for (std::size_t i = 0; i < g.size(); ++i) g[i] = static_cast<T>(x[i] + e[i]);
  golden::ScoreChecks<TestType, B0::type>("scores", golden::exact_tolerance<T>)
      .features("", {f.data(), Features::positions, Features::channels},
                {g.data(), Features::positions, Features::channels});
}

TEMPLATE_LIST_TEST_CASE("EfficientNet-B0 32/8 with area pooling equals PyTorch", "[golden]", golden::NetworkBackends) {
  golden::check_area<TestType, B0>("b0_32_8");
}

TEMPLATE_LIST_TEST_CASE("ResNet-18 32/8 with area pooling equals PyTorch", "[golden]", golden::NetworkBackends) {
  golden::check_area<TestType, ResNet18>("resnet18_32_8");
}

/// EfficientNet-Lite0 against PyTorch: SAME padding, ReLU6, the larger geometry.
#include "golden/network_checks.hpp"
#include "golden/score_checks.hpp"

namespace {
using Lite0 = adtr::Network<adtr::Architecture::efficientnet_lite0>;
using LargeLite0 = adtr::Network<adtr::Architecture::efficientnet_lite0, 512, 32>;
}  // namespace

TEMPLATE_LIST_TEST_CASE("EfficientNet-Lite0 256/16 equals PyTorch", "[golden][large]", golden::NetworkBackends) {
  golden::checks<TestType, Lite0>("lite0_256_16").inference();
}

TEMPLATE_LIST_TEST_CASE("EfficientNet-Lite0 256/16 with area pooling equals PyTorch", "[golden][large]",
                        golden::NetworkBackends) {
  golden::check_area<TestType, Lite0>("lite0_256_16");
}

TEMPLATE_LIST_TEST_CASE("EfficientNet-Lite0 512/32 equals PyTorch", "[golden][large]", golden::NetworkBackends) {
  auto network = golden::checks<TestType, LargeLite0>("lite0_512_32");
  network.inference();
  if constexpr (std::is_same_v<typename TestType::Scalar, float>) network.training();  // takes minutes in Reference
}

/// Whole networks of 32×32 images and an 8×8 grid against PyTorch.
#include "golden/network_checks.hpp"

namespace {
using B0 = adtr::Network<adtr::Architecture::efficientnet_b0, 32, 8>;
using ResNet18 = adtr::Network<adtr::Architecture::resnet18, 32, 8>;
}  // namespace

TEMPLATE_LIST_TEST_CASE("EfficientNet-B0 32/8 equals PyTorch", "[golden]", golden::NetworkBackends) {
  auto network = golden::checks<TestType, B0>("b0_32_8");
  network.inference();
  network.training();
}

TEMPLATE_LIST_TEST_CASE("ResNet-18 32/8 equals PyTorch", "[golden]", golden::NetworkBackends) {
  auto network = golden::checks<TestType, ResNet18>("resnet18_32_8");
  network.inference();
  network.training();
}

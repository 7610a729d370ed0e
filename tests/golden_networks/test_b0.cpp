/// EfficientNet-B0 of 256×256 images and a 16×16 grid against PyTorch.
#include "golden/network_checks.hpp"

TEMPLATE_LIST_TEST_CASE("EfficientNet-B0 256/16 equals PyTorch", "[golden][large]", golden::NetworkBackends) {
  auto network = golden::checks<TestType, adtr::Network<adtr::Architecture::efficientnet_b0>>("b0_256_16");
  network.inference();
  network.training();
}

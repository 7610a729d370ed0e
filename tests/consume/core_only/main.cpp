/// A program that uses only adtr::core. It also checks that the package and the headers have the same version.
#include <string>

#include "adtr/core/buffer.hpp"

int main() {
  const std::string version = std::to_string(ADTR_VERSION_MAJOR) + "." + std::to_string(ADTR_VERSION_MINOR) + "." +
                              std::to_string(ADTR_VERSION_PATCH);
  const adtr::Buffer<float> buffer(16);
  return version == PACKAGE_VERSION && buffer.size() == 16 ? 0 : 1;
}

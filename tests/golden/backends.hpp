/// The backends that are held against PyTorch.
#pragma once

#include <tuple>

#include "adtr/backend/cpu.hpp"
#include "adtr/backend/eigen.hpp"
#include "adtr/backend/reference.hpp"

namespace golden {

/// For single operations and networks of 32×32 images.
using Backends = std::tuple<adtr::Reference<double>, adtr::Reference<float>, adtr::EigenBackend, adtr::Cpu>;

/// For networks of larger images, where each pass of Reference takes half a minute.
using LargeNetworkBackends = std::tuple<adtr::Reference<double>, adtr::EigenBackend, adtr::Cpu>;

}  // namespace golden

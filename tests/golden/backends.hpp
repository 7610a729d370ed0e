/// The backends that are held against PyTorch.
#pragma once

#include <tuple>

#include "adtr/backend/reference.hpp"

namespace golden {

/// For single operations and networks of 32×32 images.
using Backends = std::tuple<adtr::Reference<double>, adtr::Reference<float>>;

/// For networks of larger images, where each pass of Reference takes half a minute.
using LargeNetworkBackends = std::tuple<adtr::Reference<double>>;

}  // namespace golden

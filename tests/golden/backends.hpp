/// The backends that are held against PyTorch.
#pragma once

#include <tuple>

#include "adtr/backend/reference.hpp"

namespace golden {

using Backends = std::tuple<adtr::Reference<double>, adtr::Reference<float>>;

}  // namespace golden

/// The backends that are compared with PyTorch.
#pragma once

#include <tuple>

#include "adtr/backend/cpu.hpp"
#include "adtr/backend/eigen.hpp"
#include "adtr/backend/reference.hpp"

namespace golden {

/// The backends for single operations.
using Backends = std::tuple<adtr::Reference<double>, adtr::Reference<float>, adtr::EigenBackend, adtr::Cpu>;

/// The backends for networks. Reference runs the same code for float and for double, so one of them is enough.
using NetworkBackends = std::tuple<adtr::Reference<double>, adtr::EigenBackend, adtr::Cpu>;

}  // namespace golden

/// The backends that are held against PyTorch.
#pragma once

#include <tuple>

#include "adtr/backend/cpu.hpp"
#include "adtr/backend/eigen.hpp"
#include "adtr/backend/reference.hpp"

namespace golden {

/// For single operations.
using Backends = std::tuple<adtr::Reference<double>, adtr::Reference<float>, adtr::EigenBackend, adtr::Cpu>;

/// For networks: Reference is the same code for float and for double.
using NetworkBackends = std::tuple<adtr::Reference<double>, adtr::EigenBackend, adtr::Cpu>;

}  // namespace golden

/// The networks that adtr::runtime is compiled for: the default networks, and the smallest for images of 32×32. A model
/// or weights file that asks for another is refused with this list.
#pragma once

#include "adtr/models/catalogue.hpp"

namespace adtr::runtime {

#ifdef ADTR_RUNTIME_NETWORKS  // the list of the CMake option
using CompiledNetworks = Networks<ADTR_RUNTIME_NETWORKS>;
#else
using CompiledNetworks = Networks<Network<Architecture::efficientnet_b4>, Network<Architecture::efficientnet_lite0>,
                                  Network<Architecture::efficientnet_lite0, 32, 8>>;
#endif

}  // namespace adtr::runtime

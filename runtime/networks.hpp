/// The networks that adtr::runtime is compiled for: the paper's backbone, those of its ablations, and the small ones;
/// the smallest in every geometry. A model or weights file that asks for another is refused with this list.
#pragma once

#include "adtr/models/catalogue.hpp"

namespace adtr::runtime {

#ifdef ADTR_RUNTIME_NETWORKS  // the list of the CMake option
using CompiledNetworks = Networks<ADTR_RUNTIME_NETWORKS>;
#else
using CompiledNetworks =
    Networks<Network<Architecture::efficientnet_b4>, Network<Architecture::efficientnet_b0>,
             Network<Architecture::efficientnet_lite0>, Network<Architecture::efficientnet_lite0, 256, 32>,
             Network<Architecture::efficientnet_lite0, 512, 32>, Network<Architecture::efficientnet_lite0, 32, 8>,
             Network<Architecture::efficientnet_lite1>, Network<Architecture::efficientnet_lite2>,
             Network<Architecture::resnet18>, Network<Architecture::resnet34>>;
#endif

}  // namespace adtr::runtime

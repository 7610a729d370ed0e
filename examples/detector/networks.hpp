/// The networks that the program is compiled for. A model or weights file that asks for another is refused with this
/// list. -DADTR_ALL_NETWORKS=ON compiles all that the catalogue has, which takes long and needs several gigabytes;
/// -DADTR_SMALL_PROGRAM=ON compiles one, in under a minute.
#pragma once

#include "adtr/models/catalogue.hpp"

namespace program {

using adtr::Architecture;
using adtr::Network;
using adtr::Networks;

#ifdef ADTR_ALL_NETWORKS

template <Architecture... A>
using EveryGeometry =
    Networks<Network<A, 256, 16>..., Network<A, 256, 32>..., Network<A, 512, 32>..., Network<A, 32, 8>...>;

template <std::size_t... K>
EveryGeometry<static_cast<Architecture>(K)...> every_backbone(std::index_sequence<K...>);

using ProgramNetworks = decltype(every_backbone(std::make_index_sequence<adtr::backbone_count>()));
using ProgramNetworksElsewhere = ProgramNetworks;

#elif defined(ADTR_SMALL_PROGRAM)

/// What tools/demo.sh trains.
using ProgramNetworks = Networks<Network<Architecture::efficientnet_lite0>>;

#else

/// The paper's backbone, those of its ablations, and the small ones; the smallest in every geometry.
using ProgramNetworks =
    Networks<Network<Architecture::efficientnet_b4>, Network<Architecture::efficientnet_b0>,
             Network<Architecture::efficientnet_lite0>, Network<Architecture::efficientnet_lite0, 256, 32>,
             Network<Architecture::efficientnet_lite0, 512, 32>, Network<Architecture::efficientnet_lite0, 32, 8>,
             Network<Architecture::efficientnet_lite1>, Network<Architecture::efficientnet_lite2>,
             Network<Architecture::resnet18>, Network<Architecture::resnet34>>;

/// The other backends are for comparison and for other processors.
using ProgramNetworksElsewhere =
    Networks<Network<Architecture::efficientnet_b4>, Network<Architecture::efficientnet_b0>,
             Network<Architecture::efficientnet_lite0>, Network<Architecture::efficientnet_lite0, 32, 8>,
             Network<Architecture::resnet18>>;

#endif

}  // namespace program

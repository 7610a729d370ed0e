/// ResNet-18 and ResNet-34 (He et al., CVPR 2016), tapped after layer1, layer2 and layer3.
#pragma once

#include "adtr/models/backbone.hpp"
#include "adtr/nn/basic_block.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace resnet {
template <class Image, std::size_t N1, std::size_t N2, std::size_t N3>
struct Make {
  using Stem = Convolution<Image, ConvolutionSpec{64, 7, 2, Activation::relu}, "conv1", "bn1">;
  using Pool = MaxPool<typename Stem::Output, 3, 2>;
  template <class In, Index C, Index Stride, std::size_t N>
  using Layer = Stage<BasicBlock<In, C, Stride>, BasicBlock<typename BasicBlock<In, C, Stride>::Output, C, 1>, N>;
  using L1 = Layer<typename Pool::Output, 64, 1, N1>;
  using L2 = Layer<typename L1::Output, 128, 2, N2>;
  using L3 = Layer<typename L2::Output, 256, 2, N3>;
  using type = Backbone<Sequential<Named<"", Stem>, Named<"maxpool", Pool>, Named<"layer1", L1>, Named<"layer2", L2>,
                                   Named<"layer3", L3>>,
                        2, 3, 4>;
};
}  // namespace resnet

/// The names in weight files are torchvision's, which timm uses too.
template <class Image>
using ResNet18 = typename resnet::Make<Image, 2, 2, 2>::type;
template <class Image>
using ResNet34 = typename resnet::Make<Image, 3, 4, 6>::type;

}  // namespace ADTR_ABI
}  // namespace adtr

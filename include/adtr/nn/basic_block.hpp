/// The basic residual block of ResNet-18 and ResNet-34 (He et al., CVPR 2016).
#pragma once

#include "adtr/core/buffer.hpp"
#include "adtr/nn/convolution.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// x → relu(conv 3×3) → conv 3×3, + x (through a 1×1 convolution where the shape changes), → relu.
template <class Input_, Index Outputs, Index Stride>
struct BasicBlock {
  using Input = Input_;
  using First = Convolution<Input, ConvolutionSpec{Outputs, 3, Stride, Activation::relu}, "conv1", "bn1">;
  using Second = Convolution<typename First::Output, ConvolutionSpec{Outputs, 3, 1, Activation::relu}, "conv2", "bn2">;
  using Downsample = Convolution<Input, ConvolutionSpec{Outputs, 1, Stride}, "downsample.0", "downsample.1">;
  using Output = typename Second::Output;
  static constexpr bool reshapes = Stride != 1 || Input::channels != Outputs;
  static constexpr Index macs = First::macs + Second::macs + (reshapes ? Downsample::macs : 0);

  template <class T>
  struct Parameters {
    ParametersOf<First, T> first;
    ParametersOf<Second, T> second;
    ParametersOf<Downsample, T> downsample;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("", self.first);
      visit("", self.second);
      if constexpr (reshapes) visit("", self.downsample);
    }
  };

  template <Backend B>
  struct Weights {
    using T = typename B::Scalar;
    using In = MapIn<B>;
    using Out = MapOut<B>;
    WeightsOf<First, B> first;
    WeightsOf<Second, B> second;
    WeightsOf<Downsample, B> downsample;

    void prepare(const Preparation<B>& how, const Parameters<T>& p) {
      first.prepare(how, p.first);
      second.prepare(how, p.second);
      if constexpr (reshapes) downsample.prepare(how, p.downsample);
    }

    void forward(const Pass<B>& pass, In x, Out y, Arena<T>& arena) const {
      const ArenaScope<T> scope(arena);
      const auto hidden = take_maps<Output>(arena, x.batch);
      first.forward(pass, x, hidden, arena);
      auto residual = x.matrix();
      if constexpr (reshapes) {
        const auto map = take_maps<Output>(arena, x.batch);
        downsample.forward(pass, x, map, arena);
        residual = map.matrix();
      }
      second.forward(pass, hidden, y, arena, residual);
    }
  };
};
#ifndef __CUDACC__  // nvcc 13 garbles the type's name in its intermediate file
static_assert(Layer<BasicBlock<Extents<8, 8, 4>, 8, 2>>, "BasicBlock must be a Layer");
#endif

}  // namespace ADTR_ABI
}  // namespace adtr

/// The basic residual block of ResNet-18 and ResNet-34 (He et al., CVPR 2016).
#pragma once

#include "adtr/core/buffer.hpp"
#include "adtr/nn/convolution.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// x → relu(conv 3×3) → conv 3×3, + x (through a 1×1 convolution where the shape changes), → relu.
template <class In, Index Outputs, Index Stride>
struct BasicBlock {
  using First = Convolution<In, ConvolutionSpec{Outputs, 3, Stride, Activation::relu}, "conv1", "bn1">;
  using Second = Convolution<typename First::Output, ConvolutionSpec{Outputs, 3, 1, Activation::relu}, "conv2", "bn2">;
  using Downsample = Convolution<In, ConvolutionSpec{Outputs, 1, Stride}, "downsample.0", "downsample.1">;
  using Input = In;
  using Output = typename Second::Output;
  static constexpr const char* name = "BasicBlock";
  static constexpr bool reshapes = Stride != 1 || In::channels != Outputs;
  static constexpr Index macs = First::macs + Second::macs + (reshapes ? Downsample::macs : 0);

  template <class T>
  struct Parameters {
    typename First::template Parameters<T> first;
    typename Second::template Parameters<T> second;
    typename Downsample::template Parameters<T> downsample;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("", self.first);
      visit("", self.second);
      if constexpr (reshapes) visit("", self.downsample);
    }
  };

  template <Backend B>
  struct Weights {
    typename First::template Weights<B> first;
    typename Second::template Weights<B> second;
    typename Downsample::template Weights<B> downsample;
  };

  template <Backend B>
  static void prepare(const typename B::Context& context, const Parameters<typename B::Scalar>& p, Weights<B>& w) {
    First::template prepare<B>(context, p.first, w.first);
    Second::template prepare<B>(context, p.second, w.second);
    if constexpr (reshapes) Downsample::template prepare<B>(context, p.downsample, w.downsample);
  }

  template <Backend B>
  static constexpr Index scratch = 2 * aligned_size<float>(Output::size);

  template <Backend B>
  static void forward(const typename B::Context& context, const Weights<B>& w, Padding padding,
                      MapView<const typename B::Scalar> x, MapView<typename B::Scalar> y, typename B::Scalar* scratch) {
    const auto hidden = map_view<Output>(scratch, x.batch);
    First::template forward<B>(context, w.first, padding, x, hidden);
    auto residual = x.matrix();
    if constexpr (reshapes) {
      const auto map = map_view<Output>(scratch + aligned_size<float>(x.batch * Output::size), x.batch);
      Downsample::template forward<B>(context, w.downsample, padding, x, map);
      residual = map.matrix();
    }
    Second::template forward<B>(context, w.second, padding, hidden, y, nullptr, residual);
  }
};

}  // namespace ADTR_ABI
}  // namespace adtr

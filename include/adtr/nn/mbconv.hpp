/// MBConv, the inverted residual block of MobileNetV2 and EfficientNet (Tan & Le, ICML 2019).
#pragma once

#include "adtr/core/buffer.hpp"
#include "adtr/nn/convolution.hpp"

namespace adtr {
inline namespace ADTR_ABI {

struct MBConvSpec {
  Index outputs;
  Index expand = 6;    ///< ratio of the channels inside the block to its input channels; 1: no expansion
  Index kernel = 3;    ///< of the depthwise convolution
  Index stride = 1;    ///< of the depthwise convolution
  Index squeezed = 0;  ///< channels inside squeeze-and-excitation; 0: no squeeze-and-excitation (the Lite models)
  Activation activation = Activation::silu;
};

/// One block's weights on a backend. Blocks of all shapes share this type: a network has dozens of shapes, and one type
/// per shape would dominate compile time.
template <Backend B>
struct MBConvWeights {
  typename B::Packed expand, project;
  typename B::Memory expand_bias, depthwise, depthwise_bias, reduce, reduce_bias, excite, excite_bias, project_bias;
};

/// x → expand 1×1 → depthwise k×k → squeeze-and-excitation → project 1×1, + x if input and output shapes are equal.
template <class In, MBConvSpec Spec>
struct MBConv {
  using Input = In;
  static constexpr Index expanded = In::channels * Spec.expand;
  using Expanded = Extents<In::height, In::width, expanded>;
  using Filtered =
      Extents<(In::height + Spec.stride - 1) / Spec.stride, (In::width + Spec.stride - 1) / Spec.stride, expanded>;
  using Output = Extents<Filtered::height, Filtered::width, Spec.outputs>;
  static constexpr const char* name = "MBConv";
  static constexpr bool expands = Spec.expand != 1;
  static constexpr bool excites = Spec.squeezed > 0;
  static constexpr bool skips = Spec.stride == 1 && In::channels == Spec.outputs;
  static constexpr Index macs = (expands ? Expanded::size * In::channels : 0) +
                                Filtered::size * Spec.kernel * Spec.kernel + 2 * expanded * Spec.squeezed +
                                Output::size * expanded;

  template <class T>
  struct Parameters {
    T *expand_weight = nullptr, *expand_bias = nullptr;
    T *depthwise_weight = nullptr, *depthwise_bias = nullptr;
    T *reduce_weight = nullptr, *reduce_bias = nullptr;
    T *excite_weight = nullptr, *excite_bias = nullptr;
    T *project_weight = nullptr, *project_bias = nullptr;

    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      if constexpr (expands)
        visit(Folded{"conv_pw", "bn1"}, self.expand_weight, self.expand_bias, Shape{expanded, In::channels, 1, 1});
      visit(Folded{"conv_dw", expands ? "bn2" : "bn1", true}, self.depthwise_weight, self.depthwise_bias,
            Shape{expanded, 1, Spec.kernel, Spec.kernel});
      if constexpr (excites) {
        visit(Folded{"se.conv_reduce", nullptr}, self.reduce_weight, self.reduce_bias,
              Shape{Spec.squeezed, expanded, 1, 1});
        visit(Folded{"se.conv_expand", nullptr}, self.excite_weight, self.excite_bias,
              Shape{expanded, Spec.squeezed, 1, 1});
      }
      visit(Folded{expands ? "conv_pwl" : "conv_pw", expands ? "bn3" : "bn2"}, self.project_weight, self.project_bias,
            Shape{Spec.outputs, expanded, 1, 1});
    }
  };

  template <Backend B>
  using Weights = MBConvWeights<B>;

  template <Backend B>
  static void prepare(const typename B::Context& context, const Parameters<typename B::Scalar>& p, Weights<B>& w) {
    if constexpr (expands) {
      B::pack(context, {p.expand_weight, expanded, In::channels}, w.expand);
      assign<B>(context, w.expand_bias, p.expand_bias, expanded);
    }
    assign<B>(context, w.depthwise, p.depthwise_weight, expanded * Spec.kernel * Spec.kernel);
    assign<B>(context, w.depthwise_bias, p.depthwise_bias, expanded);
    if constexpr (excites) {
      assign<B>(context, w.reduce, p.reduce_weight, Spec.squeezed * expanded);
      assign<B>(context, w.reduce_bias, p.reduce_bias, Spec.squeezed);
      assign<B>(context, w.excite, p.excite_weight, Spec.squeezed * expanded);
      assign<B>(context, w.excite_bias, p.excite_bias, expanded);
    }
    B::pack(context, {p.project_weight, Spec.outputs, expanded}, w.project);
    assign<B>(context, w.project_bias, p.project_bias, Spec.outputs);
  }

  template <Backend B>
  static constexpr Index scratch = aligned_size<float>(
      B::inverted_residual_scratch({1, In::height, In::width, Filtered::height, Filtered::width, Spec.kernel,
                                    Spec.stride, expanded, Spec.outputs, Spec.squeezed, expands}));

  template <Backend B>
  static void forward(const typename B::Context& context, const Weights<B>& w, Padding padding,
                      MapView<const typename B::Scalar> x, MapView<typename B::Scalar> y, typename B::Scalar* scratch) {
    using T = typename B::Scalar;
    InvertedResidual<T, typename B::Packed> block;
    block.channels = expanded;
    block.expand = expands ? &w.expand : nullptr;
    block.expand_bias = w.expand_bias.data();
    block.window = window(In::height, In::width, Spec.kernel, Spec.stride, padding);
    block.depthwise = w.depthwise.data();
    block.depthwise_bias = w.depthwise_bias.data();
    block.activation = Spec.activation;
    block.excite = {Spec.squeezed,   w.reduce.data(),      w.reduce_bias.data(),
                    w.excite.data(), w.excite_bias.data(), Spec.activation};
    block.project = &w.project;
    block.project_bias = w.project_bias.data();
    block.residual = skips;
    B::inverted_residual(context, x, block, scratch, y);
  }
};

}  // namespace ADTR_ABI
}  // namespace adtr

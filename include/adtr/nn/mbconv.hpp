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

/// What distinguishes the arithmetic of one MBConv from that of another with the same weights.
struct MBConvForm {
  Index channels;  ///< inside the block
  Index squeezed;
  Activation activation;
  bool expands, residual;
};

/// One block's weights on a backend. Blocks of all shapes share this type: a network has dozens of shapes, and what is
/// compiled once per shape would dominate compile time.
template <Backend B>
struct MBConvWeights {
  typename B::Packed expand, project;
  typename B::Memory expand_bias, depthwise, depthwise_bias, reduce, reduce_bias, excite, excite_bias, project_bias;
  Window window;

  /// The block as an argument of B::inverted_residual.
  [[nodiscard]] InvertedResidual<typename B::Scalar, typename B::Packed> block(const MBConvForm& form) const {
    return {.channels = form.channels,
            .expand = form.expands ? &expand : nullptr,
            .expand_bias = expand_bias.data(),
            .window = window,
            .depthwise = depthwise.data(),
            .depthwise_bias = depthwise_bias.data(),
            .activation = form.activation,
            .excite = {form.squeezed, reduce.data(), reduce_bias.data(), excite.data(), excite_bias.data(),
                       form.activation},
            .project = &project,
            .project_bias = project_bias.data(),
            .residual = form.residual};
  }
};

/// x → expand 1×1 → depthwise k×k → squeeze-and-excitation → project 1×1, + x if input and output shapes are equal.
template <class Input_, MBConvSpec Spec>
struct MBConv {
  using Input = Input_;
  static constexpr Index expanded = Input::channels * Spec.expand;
  using Expanded = Extents<Input::height, Input::width, expanded>;
  using Filtered = Extents<(Input::height + Spec.stride - 1) / Spec.stride,
                           (Input::width + Spec.stride - 1) / Spec.stride, expanded>;
  using Output = Extents<Filtered::height, Filtered::width, Spec.outputs>;
  static constexpr bool expands = Spec.expand != 1;
  static constexpr bool excites = Spec.squeezed > 0;
  static constexpr bool skips = Spec.stride == 1 && Input::channels == Spec.outputs;
  static constexpr Index macs = (expands ? Expanded::size * Input::channels : 0) +
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
        visit(Folded{"conv_pw", "bn1"}, self.expand_weight, self.expand_bias, Shape{expanded, Input::channels, 1, 1});
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
  struct Weights : MBConvWeights<B> {
    using T = typename B::Scalar;
    using In = MapIn<B>;
    using Out = MapOut<B>;

    void prepare(const Preparation<B>& how, const Parameters<T>& p) {
      const auto& context = how.context;
      if constexpr (expands) {
        B::pack(context, {p.expand_weight, expanded, Input::channels}, this->expand);
        assign<B>(context, this->expand_bias, p.expand_bias, expanded);
      }
      assign<B>(context, this->depthwise, p.depthwise_weight, expanded * Spec.kernel * Spec.kernel);
      assign<B>(context, this->depthwise_bias, p.depthwise_bias, expanded);
      if constexpr (excites) {
        assign<B>(context, this->reduce, p.reduce_weight, Spec.squeezed * expanded);
        assign<B>(context, this->reduce_bias, p.reduce_bias, Spec.squeezed);
        assign<B>(context, this->excite, p.excite_weight, Spec.squeezed * expanded);
        assign<B>(context, this->excite_bias, p.excite_bias, expanded);
      }
      B::pack(context, {p.project_weight, Spec.outputs, expanded}, this->project);
      assign<B>(context, this->project_bias, p.project_bias, Spec.outputs);
      this->window = adtr::window(Input::height, Input::width, Spec.kernel, Spec.stride, how.padding);
    }

    /// Computes y (batch, Output) from x (batch, Input).
    void forward(const Pass<B>& pass, In x, Out y, Arena<T>& arena) const {
      const ArenaScope<T> scope(arena);
      T* const scratch = arena.take(
          B::inverted_residual_scratch({x.batch, Input::height, Input::width, Filtered::height, Filtered::width,
                                        Spec.kernel, Spec.stride, expanded, Spec.outputs, Spec.squeezed, expands}));
      B::inverted_residual(pass.context, x, this->block({expanded, Spec.squeezed, Spec.activation, expands, skips}),
                           scratch, y);
    }
  };
};
static_assert(Layer<MBConv<Extents<8, 8, 16>, MBConvSpec{16}>>, "MBConv must be a Layer");

}  // namespace ADTR_ABI
}  // namespace adtr

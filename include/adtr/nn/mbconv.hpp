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

/// The shape of one MBConv, as data.
struct MBConvShape {
  Index height, width, inputs;
  MBConvSpec spec;

  [[nodiscard]] constexpr Index channels() const { return inputs * spec.expand; }  ///< inside the block
  [[nodiscard]] constexpr Index out_height() const { return (height + spec.stride - 1) / spec.stride; }
  [[nodiscard]] constexpr Index out_width() const { return (width + spec.stride - 1) / spec.stride; }
  [[nodiscard]] constexpr bool expands() const { return spec.expand != 1; }
  [[nodiscard]] constexpr bool excites() const { return spec.squeezed > 0; }
  [[nodiscard]] constexpr bool skips() const { return spec.stride == 1 && inputs == spec.outputs; }
};

/// One block's parameters. Blocks of all shapes share the code of this type and of MBConvWeights: a network has dozens
/// of shapes, and what is compiled once per shape would dominate compile time.
template <class T>
struct MBConvParameters {
  T *expand_weight = nullptr, *expand_bias = nullptr;
  T *depthwise_weight = nullptr, *depthwise_bias = nullptr;
  T *reduce_weight = nullptr, *reduce_bias = nullptr;
  T *excite_weight = nullptr, *excite_bias = nullptr;
  T *project_weight = nullptr, *project_bias = nullptr;

  template <class V>
  static constexpr void each(const MBConvShape& shape, MBConvParameters& self, V& visit) {
    const Index channels = shape.channels(), kernel = shape.spec.kernel, squeezed = shape.spec.squeezed;
    const bool expands = shape.expands();
    if (expands)
      visit(Folded{"conv_pw", "bn1"}, self.expand_weight, self.expand_bias, Shape{channels, shape.inputs, 1, 1});
    visit(Folded{"conv_dw", expands ? "bn2" : "bn1", true}, self.depthwise_weight, self.depthwise_bias,
          Shape{channels, 1, kernel, kernel});
    if (shape.excites()) {
      visit(Folded{"se.conv_reduce", nullptr}, self.reduce_weight, self.reduce_bias, Shape{squeezed, channels, 1, 1});
      visit(Folded{"se.conv_expand", nullptr}, self.excite_weight, self.excite_bias, Shape{channels, squeezed, 1, 1});
    }
    visit(Folded{expands ? "conv_pwl" : "conv_pw", expands ? "bn3" : "bn2"}, self.project_weight, self.project_bias,
          Shape{shape.spec.outputs, channels, 1, 1});
  }
};

/// One block's weights on a backend.
template <Backend B>
struct MBConvWeights {
  using T = typename B::Scalar;
  typename B::Packed expand, project;
  typename B::Memory expand_bias, depthwise, depthwise_bias, reduce, reduce_bias, excite, excite_bias, project_bias;
  Window window;

  void prepare(const MBConvShape& shape, const Preparation<B>& how, const MBConvParameters<T>& p) {
    const auto& context = how.context;
    const MBConvSpec& spec = shape.spec;
    const Index channels = shape.channels();
    if (shape.expands()) {
      B::pack(context, {p.expand_weight, channels, shape.inputs}, expand);
      assign<B>(context, expand_bias, p.expand_bias, channels);
    }
    assign<B>(context, depthwise, p.depthwise_weight, channels * spec.kernel * spec.kernel);
    assign<B>(context, depthwise_bias, p.depthwise_bias, channels);
    if (shape.excites()) {
      assign<B>(context, reduce, p.reduce_weight, spec.squeezed * channels);
      assign<B>(context, reduce_bias, p.reduce_bias, spec.squeezed);
      assign<B>(context, excite, p.excite_weight, spec.squeezed * channels);
      assign<B>(context, excite_bias, p.excite_bias, channels);
    }
    B::pack(context, {p.project_weight, spec.outputs, channels}, project);
    assign<B>(context, project_bias, p.project_bias, spec.outputs);
    window = adtr::window(shape.height, shape.width, spec.kernel, spec.stride, how.padding);
  }

  void forward(const MBConvShape& shape, const Pass<B>& pass, MapIn<B> x, MapOut<B> y, Arena<T>& arena) const {
    const MBConvSpec& spec = shape.spec;
    const ArenaScope<T> scope(arena);
    T* const scratch = arena.take(B::inverted_residual_scratch(
        {x.batch, shape.height, shape.width, shape.out_height(), shape.out_width(), spec.kernel, spec.stride,
         shape.channels(), spec.outputs, spec.squeezed, shape.expands()}));
    B::inverted_residual(pass.context, x, block(shape), scratch, y);
  }

 private:
  /// The block as an argument of B::inverted_residual.
  [[nodiscard]] InvertedResidual<T, typename B::Packed> block(const MBConvShape& shape) const {
    const Activation activation = shape.spec.activation;
    return {.channels = shape.channels(),
            .expand = shape.expands() ? &expand : nullptr,
            .expand_bias = expand_bias.data(),
            .window = window,
            .depthwise = depthwise.data(),
            .depthwise_bias = depthwise_bias.data(),
            .activation = activation,
            .excite = {shape.spec.squeezed, reduce.data(), reduce_bias.data(), excite.data(), excite_bias.data(),
                       activation},
            .project = &project,
            .project_bias = project_bias.data(),
            .residual = shape.skips()};
  }
};

/// x → expand 1×1 → depthwise k×k → squeeze-and-excitation → project 1×1, + x if input and output shapes are equal.
template <class Input_, MBConvSpec Spec>
struct MBConv {
  using Input = Input_;
  static constexpr MBConvShape shape{Input::height, Input::width, Input::channels, Spec};
  using Output = Extents<shape.out_height(), shape.out_width(), Spec.outputs>;
  static constexpr Index macs = (shape.expands() ? Input::size * shape.channels() : 0) +
                                Output::positions * shape.channels() * (Spec.kernel * Spec.kernel + Spec.outputs) +
                                2 * shape.channels() * Spec.squeezed;

  template <class T>
  struct Parameters : MBConvParameters<T> {
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      MBConvParameters<T>::each(shape, self, visit);
    }
  };

  template <Backend B>
  struct Weights : MBConvWeights<B> {
    using T = typename B::Scalar;
    using In = MapIn<B>;
    using Out = MapOut<B>;

    void prepare(const Preparation<B>& how, const Parameters<T>& p) { MBConvWeights<B>::prepare(shape, how, p); }

    /// Computes y (batch, Output) from x (batch, Input).
    void forward(const Pass<B>& pass, In x, Out y, Arena<T>& arena) const {
      MBConvWeights<B>::forward(shape, pass, x, y, arena);
    }
  };
};
static_assert(Layer<MBConv<Extents<8, 8, 16>, MBConvSpec{16}>>, "MBConv must be a Layer");

}  // namespace ADTR_ABI
}  // namespace adtr

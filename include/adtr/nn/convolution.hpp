/// Dense convolution with folded batch norm, and max pooling: the first layers of a backbone.
#pragma once

#include "adtr/core/fixed_string.hpp"
#include "adtr/nn/layer.hpp"
#include "adtr/nn/weights.hpp"

namespace adtr {
inline namespace ADTR_ABI {

struct ConvolutionSpec {
  Index outputs;
  Index kernel = 3;
  Index stride = 1;
  Activation activation = Activation::none;
};

/// activation(conv(x) + bias), K×K, stride S. `Name` and `Norm` are the names of convolution and batch norm in weight
/// files.
template <class Input_, ConvolutionSpec Spec, FixedString Name = "conv", FixedString Norm = "bn">
struct Convolution {
  using Input = Input_;
  using Output = Extents<(Input::height + Spec.stride - 1) / Spec.stride,
                         (Input::width + Spec.stride - 1) / Spec.stride, Spec.outputs>;
  static constexpr Index macs = Output::size * Input::channels * Spec.kernel * Spec.kernel;

  template <class T>
  struct Parameters {
    T* weight = nullptr;
    T* bias = nullptr;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit(Folded{Name.text, Norm.text}, self.weight, self.bias,
            Shape{Spec.outputs, Input::channels, Spec.kernel, Spec.kernel});
    }
  };

  template <Backend B>
  struct Weights {
    using T = typename B::Scalar;
    using In = MapIn<B>;
    using Out = MapOut<B>;
    typename B::Packed weight;
    typename B::Memory bias;
    Window window;

    void prepare(const Preparation<B>& how, const Parameters<T>& p) {
      B::pack(how.context, {p.weight, Spec.outputs, Input::channels * Spec.kernel * Spec.kernel}, weight);
      assign<B>(how.context, bias, p.bias, Spec.outputs);
      window = adtr::window(Input::height, Input::width, Spec.kernel, Spec.stride, how.padding);
    }

    /// Computes y (batch, Output) from x (batch, Input); `residual`, if given, is added before the activation.
    void forward(const Pass<B>& pass, In x, Out y, Arena<T>& /*arena*/, MatrixIn<B> residual = {}) const {
      const Epilogue<T> epilogue{bias.data(), residual, Spec.activation};
      if constexpr (Spec.kernel == 1 && Spec.stride == 1)
        B::multiply(pass.context, x.matrix(), weight, epilogue, y.matrix());
      else
        B::convolve(pass.context, x, window, weight, epilogue, y);
    }
  };
};
static_assert(Layer<Convolution<Extents<8, 8, 3>, ConvolutionSpec{4}>>, "Convolution must be a Layer");

/// The maximum over K×K windows, with padding of (K − 1)/2 on each side.
template <class Input_, Index Kernel, Index Stride>
struct MaxPool {
  using Input = Input_;
  using Output = Extents<(Input::height + Stride - 1) / Stride, (Input::width + Stride - 1) / Stride, Input::channels>;
  static constexpr Index macs = 0;

  template <class T>
  struct Parameters {
    template <class V>
    static constexpr void each(Parameters&, V&) {}
  };

  template <Backend B>
  struct Weights {
    using In = MapIn<B>;
    using Out = MapOut<B>;

    void prepare(const Preparation<B>&, const Parameters<typename B::Scalar>&) {}

    void forward(const Pass<B>& pass, In x, Out y, Arena<typename B::Scalar>& /*arena*/) const {
      B::max_pool(pass.context, x, window(Input::height, Input::width, Kernel, Stride, Padding::symmetric), y);
    }
  };
};
static_assert(Layer<MaxPool<Extents<8, 8, 3>, 3, 2>>, "MaxPool must be a Layer");

}  // namespace ADTR_ABI
}  // namespace adtr

/// Dense convolution with folded batch norm, and max pooling: the first layers of a backbone.
#pragma once

#include "adtr/backend/backend.hpp"
#include "adtr/core/fixed_string.hpp"
#include "adtr/nn/padding.hpp"
#include "adtr/nn/parameters.hpp"
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
template <class In, ConvolutionSpec Spec, FixedString Name = "conv", FixedString Norm = "bn">
struct Convolution {
  using Input = In;
  using Output =
      Extents<(In::height + Spec.stride - 1) / Spec.stride, (In::width + Spec.stride - 1) / Spec.stride, Spec.outputs>;
  static constexpr const char* name = "Convolution";
  static constexpr Index macs = Output::size * In::channels * Spec.kernel * Spec.kernel;

  template <class T>
  struct Parameters {
    T* weight = nullptr;
    T* bias = nullptr;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit(Folded{Name.text, Norm.text}, self.weight, self.bias,
            Shape{Spec.outputs, In::channels, Spec.kernel, Spec.kernel});
    }
  };

  template <Backend B>
  struct Weights {
    typename B::Packed weight;
    typename B::Memory bias;
  };

  template <Backend B>
  static void prepare(const typename B::Context& context, const Parameters<typename B::Scalar>& p, Weights<B>& w) {
    B::pack(context, {p.weight, Spec.outputs, In::channels * Spec.kernel * Spec.kernel}, w.weight);
    assign<B>(context, w.bias, p.bias, Spec.outputs);
  }

  /// Elements of scratch memory that `forward` needs per image.
  template <Backend B>
  static constexpr Index scratch = 0;

  /// Computes y (batch, Output) from x (batch, Input); `residual`, if given, is added before the activation.
  template <Backend B>
  static void forward(const typename B::Context& context, const Weights<B>& w, Padding padding,
                      MapView<const typename B::Scalar> x, MapView<typename B::Scalar> y,
                      typename B::Scalar* /*scratch*/ = nullptr, MatrixView<const typename B::Scalar> residual = {}) {
    const Epilogue<typename B::Scalar> epilogue{w.bias.data(), residual, Spec.activation};
    if constexpr (Spec.kernel == 1 && Spec.stride == 1) {
      B::multiply(context, x.matrix(), w.weight, epilogue, y.matrix());
    } else {
      B::convolve(context, x, window(In::height, In::width, Spec.kernel, Spec.stride, padding), w.weight, epilogue, y);
    }
  }
};

/// The maximum over K×K windows, with padding of (K − 1)/2 on each side.
template <class In, Index Kernel, Index Stride>
struct MaxPool {
  using Input = In;
  using Output = Extents<(In::height + Stride - 1) / Stride, (In::width + Stride - 1) / Stride, In::channels>;
  static constexpr const char* name = "MaxPool";
  static constexpr Index macs = 0;

  template <class T>
  struct Parameters {
    template <class V>
    static constexpr void each(Parameters&, V&) {}
  };
  template <Backend B>
  struct Weights {};
  template <Backend B>
  static void prepare(const typename B::Context&, const Parameters<typename B::Scalar>&, Weights<B>&) {}

  /// Elements of scratch memory that `forward` needs per image.
  template <Backend B>
  static constexpr Index scratch = 0;

  template <Backend B>
  static void forward(const typename B::Context& context, const Weights<B>&, Padding /*padding*/,
                      MapView<const typename B::Scalar> x, MapView<typename B::Scalar> y,
                      typename B::Scalar* /*scratch*/) {
    B::max_pool(context, x, window(In::height, In::width, Kernel, Stride, Padding::symmetric), y);
  }
};

}  // namespace ADTR_ABI
}  // namespace adtr

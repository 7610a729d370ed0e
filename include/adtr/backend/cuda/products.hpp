/// CUDA: matrix products and dense convolution, for any runtime (GPU or emulator).
#pragma once

#include "adtr/backend/cuda/kernels/product.cuh"
#include "adtr/backend/cuda/kernels/reduce.cuh"

namespace adtr::inline ADTR_ABI::cuda {

template <class Runtime>
struct Products {
  using Context = typename Runtime::Context;

  /// b as (inputs, outputs), rows as they are.
  struct Packed {
    typename Runtime::template Memory<float> values;
    Index inputs = 0;
    Index outputs = 0;
    [[nodiscard]] MatrixView<const float> matrix() const { return {values.data(), inputs, outputs}; }
  };

  static void pack(const Context& context, MatrixView<const float> w, Packed& packed) {
    const Index tiles = blocks(w.rows, warp) * blocks(w.cols, warp);
    context.template launch<kernels::Transpose>({tiles}, w, reshape(packed, w.cols, w.rows));
  }

  static void pack_transposed(const Context& context, MatrixView<const float> w, Packed& packed) {
    context.template launch<kernels::Copy>({blocks(elements(w.rows, w.cols), kernels::Copy::threads)}, w,
                                           reshape(packed, w.rows, w.cols));
  }

  static void multiply(const Context& context, MatrixView<const float> a, const Packed& b,
                       const Epilogue<float>& epilogue, MatrixView<float> c) {
    product(context, kernels::LeftRows{a}, b.matrix(), epilogue, c);
  }

  static void accumulate_weight_gradient(const Context& context, MatrixView<const float> dy, MatrixView<const float> x,
                                         MatrixView<float> dw) {
    product(context, kernels::LeftColumns{dy}, x, {nullptr, dw, Activation::none}, dw);
  }

  static void accumulate_column_sums(const Context& context, MatrixView<const float> a, float* sums) {
    using Kernel = kernels::ColumnSums;
    context.template launch<Kernel>({blocks(a.cols, Kernel::columns)}, a, VectorView<float>(sums, a.cols));
  }

  static void convolve(const Context& context, MapView<const float> x, const Window& window, const Packed& w,
                       const Epilogue<float>& epilogue, MapView<float> y) {
    if (window.kernel == 1 && window.stride == 1 && window.top == 0 && window.left == 0 && x.height == y.height &&
        x.width == y.width)
      return multiply(context, x.matrix(), w, epilogue, y.matrix());
    product(context, kernels::LeftWindows{x, window, y.height, y.width, elements(y.pixels(), 1)}, w.matrix(), epilogue,
            y.matrix());
  }

 private:
  static MatrixView<float> reshape(Packed& packed, Index inputs, Index outputs) {
    if (packed.values.size() != inputs * outputs)
      packed.values = typename Runtime::template Memory<float>(inputs * outputs);
    packed.inputs = inputs;
    packed.outputs = outputs;
    return {packed.values.data(), inputs, outputs};
  }

  /// In large tiles where they are enough to keep the GPU busy, else in small ones.
  template <class Left>
  static void product(const Context& context, const Left& left, MatrixView<const float> b,
                      const Epilogue<float>& epilogue, MatrixView<float> c) {
    const Index large = blocks(c.rows, 128) * blocks(c.cols, 128);
    const VectorView<const float> bias(epilogue.bias, c.cols);
    if (large >= 2 * context.multiprocessors())
      context.template launch<kernels::Product<Left, 128>>({large}, left, b, bias, epilogue.residual,
                                                           epilogue.activation, c);
    else
      context.template launch<kernels::Product<Left, 64>>({blocks(c.rows, 64) * blocks(c.cols, 64)}, left, b, bias,
                                                          epilogue.residual, epilogue.activation, c);
  }
};

}  // namespace adtr::inline ADTR_ABI::cuda

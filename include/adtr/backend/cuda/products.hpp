/// CUDA: matrix products and dense convolution, for any runtime (GPU or emulator).
#pragma once

#include "adtr/backend/cuda/kernels/product_tensor.cuh"
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

  template <class Left>
  static void product(const Context& context, const Left& left, MatrixView<const float> b,
                      const Epilogue<float>& epilogue, MatrixView<float> c) {
    const kernels::Finish finish{{epilogue.bias, c.cols}, epilogue.residual, epilogue.activation, c};
    switch (context.tensor_cores() ? context.precision() : Precision::float32) {
      case Precision::float32:
        return in_tiles<kernels::Product<Left, 128>, kernels::Product<Left, 64>>(context, left, b, finish);
      case Precision::tf32:
        return in_tiles<kernels::ProductTensor<Tf32, Left, 128>, kernels::ProductTensor<Tf32, Left, 64>>(context, left,
                                                                                                         b, finish);
      case Precision::bf16:
        return in_tiles<kernels::ProductTensor<Bf16, Left, 128>, kernels::ProductTensor<Bf16, Left, 64>>(context, left,
                                                                                                         b, finish);
    }
  }

  /// In large tiles where they are enough to keep the GPU busy, else in small ones.
  template <class Large, class Small, class Left>
  static void in_tiles(const Context& context, const Left& left, MatrixView<const float> b,
                       const kernels::Finish& finish) {
    const auto tiles = [&](Index size) { return blocks(finish.c.rows, size) * blocks(finish.c.cols, size); };
    if (const Index large = tiles(Large::size); large >= 2 * context.multiprocessors())
      context.template launch<Large>({large}, left, b, finish);
    else
      context.template launch<Small>({tiles(Small::size)}, left, b, finish);
  }
};

}  // namespace adtr::inline ADTR_ABI::cuda

/// CUDA: matrix products and dense convolution, for any runtime (GPU or emulator).
#pragma once

#include "adtr/backend/cuda/kernels/gemm_tensor.cuh"
#include "adtr/backend/cuda/kernels/reduce.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda {

template <class Runtime>
struct Gemm {
  using Context = typename Runtime::Context;

  /// The right operand b, stored row by row as (inputs, outputs).
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
    gemm(context, kernels::LeftRows{a}, b.matrix(), epilogue, c);
  }

  /// Like multiply, but first multiplies each row of a by its image's row of `gates` (batch, K).
  static void multiply_gated(const Context& context, MatrixView<const float> a, MatrixView<const float> gates,
                             const Packed& b, const Epilogue<float>& epilogue, MatrixView<float> c) {
    in_precision<kernels::LeftGatedRows, kernels::GatedGemm>(context, a.rows / gates.rows, gates.rows, c.cols, a, gates,
                                                             b.matrix(), finish(epilogue, c));
  }

  static void accumulate_weight_gradient(const Context& context, MatrixView<const float> dy, MatrixView<const float> x,
                                         MatrixView<float> dw) {
    gemm(context, kernels::LeftColumns{dy}, x, {nullptr, dw, Activation::none}, dw);
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
    gemm(context, kernels::LeftWindows{x, window, y.height, y.width, elements(y.pixels(), 1)}, w.matrix(), epilogue,
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
  static void gemm(const Context& context, const Left& left, MatrixView<const float> b, const Epilogue<float>& epilogue,
                   MatrixView<float> c) {
    in_precision<Left, Plain>(context, c.rows, 1, c.cols, left, b, finish(epilogue, c));
  }
  [[nodiscard]] static kernels::Finish finish(const Epilogue<float>& epilogue, MatrixView<float> c) {
    return {{epilogue.bias, c.cols}, epilogue.residual, epilogue.activation, c};
  }
  template <class Tiles>
  using Plain = Tiles;

  /// Launches Kernel<a tiled product> in the context's precision. Each of `images` results has rows × columns elements.
  template <class Left, template <class> class Kernel, class... Arguments>
  static void in_precision(const Context& context, Index rows, Index images, Index columns,
                           const Arguments&... arguments) {
    using namespace kernels;
    switch (context.tensor_cores() ? context.precision() : Precision::float32) {
      case Precision::float32:
        return in_tiles<Kernel<GemmTiles<Left, 128>>, Kernel<GemmTiles<Left, 64>>>(context, rows, images, columns,
                                                                                   arguments...);
      case Precision::tf32:
        return in_tiles<Kernel<GemmTensor<Tf32, Left, 128>>, Kernel<GemmTensor<Tf32, Left, 64>>>(context, rows, images,
                                                                                                 columns, arguments...);
      case Precision::bf16:
        return in_tiles<Kernel<GemmTensor<Bf16, Left, 128>>, Kernel<GemmTensor<Bf16, Left, 64>>>(context, rows, images,
                                                                                                 columns, arguments...);
    }
  }

  /// Uses large tiles if there are enough of them to keep the GPU busy and the rows do not fit into one small tile.
  /// Otherwise uses small tiles.
  template <class Large, class Small, class... Arguments>
  static void in_tiles(const Context& context, Index rows, Index images, Index columns, const Arguments&... arguments) {
    const auto grid = [&](Index size) { return Grid{blocks(rows, size) * blocks(columns, size), images}; };
    if (const Grid large = grid(Large::size); rows > Small::size && large.x * images >= 2 * context.multiprocessors())
      context.template launch<Large>(large, arguments...);
    else
      context.template launch<Small>(grid(Small::size), arguments...);
  }
};

}  // namespace cuda
}  // namespace ADTR_ABI
}  // namespace adtr

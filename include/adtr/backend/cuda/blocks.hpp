/// CUDA: depthwise convolution, and the inverted residual block with squeeze-and-excitation fused into the kernels
/// around it, for any runtime (GPU or emulator).
#pragma once

#include "adtr/backend/cuda/gemm.hpp"
#include "adtr/backend/cuda/kernels/depthwise.cuh"
#include "adtr/backend/cuda/kernels/excite.cuh"
#include "adtr/core/buffer.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda {

/// An inverted residual block takes at most four launches: the expansion; the filter, which also writes the parts of
/// the squeeze; the gates; and the projection, which multiplies its input by the gates.
template <class Runtime>
struct Blocks {
  using Context = typename Runtime::Context;
  using Packed = typename Gemm<Runtime>::Packed;

  static void depthwise(const Context& context, MapView<const float> x, const Window& window, const float* w,
                        const float* bias, Activation activation, MapView<float> y) {
    filter(context, x, window, w, bias, activation, y, {});
  }

  static constexpr Index inverted_residual_scratch(const InvertedResidualShape& s) {
    return (s.expands ? aligned_size<float>(s.batch * s.in_height * s.in_width * s.channels) : 0) +
           aligned_size<float>(s.batch * s.out_height * s.out_width * s.channels) +
           aligned_size<float>(s.batch * s.squeezed *
                               kernels::FilterBlock::count(s.out_height, s.out_width, s.channels)) +
           s.batch * s.channels;
  }

  static void inverted_residual(const Context& context, MapView<const float> x,
                                const InvertedResidual<float, Packed>& block, float* scratch, MapView<float> y) {
    const auto take = [&scratch](Index size) {
      float* const taken = scratch;
      scratch += aligned_size<float>(size);
      return taken;
    };
    const Index channels = block.channels, squeezed = block.excite.squeezed;
    if (squeezed > kernels::Excite::max_squeezed)
      throw Error("an MBConv on the cuda backend squeezes to at most " + std::to_string(kernels::Excite::max_squeezed) +
                      " channels, not " + std::to_string(squeezed) + ".",
                  ErrorCode::shape);
    MapView<const float> wide = x;
    if (block.expand != nullptr) {
      const MapView<float> map(take(x.pixels() * channels), x.batch, x.height, x.width, channels);
      Gemm<Runtime>::multiply(context, x.matrix(), *block.expand, {block.expand_bias, {}, block.activation},
                              map.matrix());
      wide = map;
    }
    const MapView<float> filtered(take(y.pixels() * channels), y.batch, y.height, y.width, channels);
    const Epilogue<float> epilogue{block.project_bias, block.residual ? x.matrix() : MatrixView<const float>{},
                                   Activation::none};
    if (squeezed == 0) {
      depthwise(context, wide, block.window, block.depthwise, block.depthwise_bias, block.activation, filtered);
      return Gemm<Runtime>::multiply(context, filtered.matrix(), *block.project, epilogue, y.matrix());
    }
    const Index count = kernels::FilterBlock::count(y.height, y.width, channels);
    const MatrixView<float> parts(take(y.batch * squeezed * count), y.batch * squeezed, count);
    const MatrixView<float> gates(take(y.batch * channels), y.batch, channels);
    filter(context, wide, block.window, block.depthwise, block.depthwise_bias, block.activation, filtered,
           {{block.excite.reduce_weight, squeezed, channels}, parts});
    excite(context, block.excite, parts, y.height * y.width, gates);
    Gemm<Runtime>::multiply_gated(context, filtered.matrix(), gates, *block.project, epilogue, y.matrix());
  }

 private:
  static void filter(const Context& context, MapView<const float> x, const Window& window, const float* w,
                     const float* bias, Activation activation, MapView<float> y, const kernels::Squeeze& squeeze) {
    static_cast<void>(elements(x.pixels(), x.channels));
    static_cast<void>(elements(y.pixels(), y.channels));
    const auto launch = [&]<class Windows>(Windows) {
      using Kernel = kernels::Depthwise<Windows>;
      context.template launch<Kernel>({y.batch * Kernel::count(y.height, y.width, y.channels)}, x, window,
                                      MatrixView<const float>(w, window.kernel * window.kernel, x.channels),
                                      VectorView<const float>(bias, x.channels), activation, y, squeeze);
    };
    using kernels::TiledWindows;
    if (window.kernel == 3 && window.stride == 1) return launch(TiledWindows<3, 1>{});
    if (window.kernel == 3 && window.stride == 2) return launch(TiledWindows<3, 2>{});
    if (window.kernel == 5 && window.stride == 1) return launch(TiledWindows<5, 1>{});
    if (window.kernel == 5 && window.stride == 2) return launch(TiledWindows<5, 2>{});
    launch(kernels::AnyWindows{});
  }

  static void excite(const Context& context, const SqueezeExcite<float>& layer, MatrixView<const float> parts,
                     Index positions, MatrixView<float> gates) {
    using Kernel = kernels::Excite;
    const Index channels = gates.cols, squeezed = layer.squeezed;
    context.template launch<Kernel>({blocks(channels, Kernel::channels), gates.rows}, parts, positions,
                                    VectorView<const float>(layer.reduce_bias, squeezed), layer.activation,
                                    MatrixView<const float>(layer.expand_weight, channels, squeezed),
                                    VectorView<const float>(layer.expand_bias, channels), gates);
  }
};

}  // namespace cuda
}  // namespace ADTR_ABI
}  // namespace adtr

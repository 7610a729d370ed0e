/// CUDA: operations of a backbone other than products and filters, for any runtime (GPU or emulator).
#pragma once

#include "adtr/backend/cuda/kernels/maps.cuh"
#include "adtr/backend/cuda/kernels/reduce.cuh"
#include "adtr/backend/cuda/kernels/rows.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda {

template <class Runtime>
struct Maps {
  using Context = typename Runtime::Context;

  /// `scratch` holds the means (batch, C), the squeezed channels (batch, S) and the gates (batch, C).
  static void squeeze_excite(const Context& context, MapView<float> x, const SqueezeExcite<float>& layer,
                             float* scratch) {
    using Means = kernels::ChannelMeans;
    using kernels::Dense;
    const Index channels = x.channels, squeezed = layer.squeezed, positions = x.height * x.width;
    const MatrixView<float> mean(scratch, x.batch, channels);
    const MatrixView<float> reduced(mean.row(x.batch), x.batch, squeezed);
    const MatrixView<float> gate(reduced.row(x.batch), x.batch, channels);
    context.template launch<Means>({blocks(channels, Means::columns), x.batch}, MatrixView<const float>(x.matrix()),
                                   positions, mean);
    context.template launch<Dense>({blocks(squeezed, Dense::per_block), x.batch},
                                   MatrixView<const float>(layer.reduce_weight, squeezed, channels),
                                   VectorView<const float>(layer.reduce_bias, squeezed), MatrixView<const float>(mean),
                                   layer.activation, false, reduced);
    context.template launch<Dense>({blocks(channels, Dense::per_block), x.batch},
                                   MatrixView<const float>(layer.expand_weight, channels, squeezed),
                                   VectorView<const float>(layer.expand_bias, channels),
                                   MatrixView<const float>(reduced), Activation::none, true, gate);
    each<kernels::ScaleChannels>(context, x, x.matrix(), positions, MatrixView<const float>(gate));
  }

  static void max_pool(const Context& context, MapView<const float> x, const Window& window, MapView<float> y) {
    each<kernels::MaxPool>(context, y, x, window, y);
  }

  static void resize(const Context& context, MapView<const float> x, MapView<float> y) {
    each<kernels::Resize>(context, y, x, y);
  }

  static void resize_area(const Context& context, MapView<const float> x, MapView<float> y) {
    each<kernels::ResizeArea>(context, y, x, y);
  }

  static void standardise(const Context& context, MapView<float> x, const float* mean, const float* inverse_std) {
    each<kernels::Standardise>(context, x, x.matrix(), VectorView<const float>(mean, x.channels),
                               VectorView<const float>(inverse_std, x.channels));
  }

 private:
  /// Launches one thread per element of `result`.
  template <class Kernel, class... Arguments>
  static void each(const Context& context, MapView<float> result, const Arguments&... arguments) {
    context.template launch<Kernel>({blocks(elements(result.pixels(), result.channels), Kernel::threads)},
                                    arguments...);
  }
};

}  // namespace cuda
}  // namespace ADTR_ABI
}  // namespace adtr

/// CUDA: row-wise and element-wise operations of a transformer, for any runtime (GPU or emulator).
#pragma once

#include "adtr/backend/cuda/launch.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda {

template <class Runtime>
struct Tokens {
  using Context = typename Runtime::Context;
  using In = MatrixView<const float>;
  using Out = MatrixView<float>;

  static void add_positions(const Context& context, In x, In p, Out y) {
    launch_elements<kernels::AddPositions>(context, y, x, p, y);
  }
  static void accumulate_positions(const Context& context, In dy, Out dp) {
    launch_elements<kernels::AccumulatePositions>(context, dp, dy, dp);
  }

  static void layer_norm(const Context& context, In x, const float* gamma, const float* beta, float eps, Out y,
                         float* statistics) {
    launch_rows<kernels::LayerNorm>(context, x, x, VectorView<const float>(gamma, x.cols),
                                    VectorView<const float>(beta, x.cols), eps, y,
                                    VectorView<float>(statistics, 2 * x.rows));
  }

  static void layer_norm_backward(const Context& context, In x, const float* gamma, const float* statistics, In dy,
                                  Out dx, float* dgamma, float* dbeta) {
    using Parameters = kernels::LayerNormParameters;
    const VectorView<const float> both(statistics, 2 * x.rows);
    // The parameter gradients come first, because dx may be the same matrix as dy.
    context.template launch<Parameters>({blocks(x.cols, Parameters::columns)}, x, both, dy,
                                        VectorView<float>(dgamma, x.cols), VectorView<float>(dbeta, x.cols));
    launch_rows<kernels::LayerNormInput>(context, x, x, VectorView<const float>(gamma, x.cols), both, dy, dx);
  }

  static void dropout(const Context& context, In x, const Dropout& dropout, In residual, Out y) {
    // One counter serves eight elements of a block of 64, so each block takes eight counters.
    const Index counters = blocks(elements(x.rows, x.cols), 64) * 8;
    const float scale = dropout.active() ? static_cast<float>(1.0 / (1.0 - static_cast<double>(dropout.rate))) : 1.0F;
    context.template launch<kernels::DropElements>({blocks(counters, kernels::DropElements::threads)}, x, dropout,
                                                   scale, residual, y);
  }

  static void relu_backward(const Context& context, In h, float scale, Out dh) {
    launch_elements<kernels::ReluBackward>(context, dh, h, scale, dh);
  }
  static void accumulate(const Context& context, In x, Out y) {
    launch_elements<kernels::Accumulate>(context, y, x, y);
  }
};

}  // namespace cuda
}  // namespace ADTR_ABI
}  // namespace adtr

/// CUDA: row-wise and element-wise operations, losses and the optimiser, for any runtime (GPU or emulator).
#pragma once

#include "adtr/backend/cuda/kernels/losses.cuh"
#include "adtr/backend/cuda/kernels/reduce.cuh"
#include "adtr/backend/cuda/kernels/rows.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda {

template <class Runtime>
struct Tokens {
  using Context = typename Runtime::Context;
  using In = MatrixView<const float>;
  using Out = MatrixView<float>;

  static void add_positions(const Context& context, In x, In p, Out y) {
    each<kernels::AddPositions>(context, y, x, p, y);
  }
  static void accumulate_positions(const Context& context, In dy, Out dp) {
    each<kernels::AccumulatePositions>(context, dp, dy, dp);
  }

  static void layer_norm(const Context& context, In x, const float* gamma, const float* beta, float eps, Out y,
                         float* statistics) {
    rows<kernels::LayerNorm>(context, x, x, VectorView<const float>(gamma, x.cols),
                             VectorView<const float>(beta, x.cols), eps, y, VectorView<float>(statistics, 2 * x.rows));
  }

  static void layer_norm_backward(const Context& context, In x, const float* gamma, const float* statistics, In dy,
                                  Out dx, float* dgamma, float* dbeta) {
    using Parameters = kernels::LayerNormParameters;
    const VectorView<const float> both(statistics, 2 * x.rows);
    // The parameter gradients come first, because dx may be the same matrix as dy.
    context.template launch<Parameters>({blocks(x.cols, Parameters::columns)}, x, both, dy,
                                        VectorView<float>(dgamma, x.cols), VectorView<float>(dbeta, x.cols));
    rows<kernels::LayerNormInput>(context, x, x, VectorView<const float>(gamma, x.cols), both, dy, dx);
  }

  static void dropout(const Context& context, In x, const Dropout& dropout, In residual, Out y) {
    // One counter serves eight elements of a block of 64, so each block takes eight counters.
    const Index counters = blocks(elements(x.rows, x.cols), 64) * 8;
    const float scale = dropout.active() ? static_cast<float>(1.0 / (1.0 - static_cast<double>(dropout.rate))) : 1.0F;
    context.template launch<kernels::DropElements>({blocks(counters, kernels::DropElements::threads)}, x, dropout,
                                                   scale, residual, y);
  }

  static void relu_backward(const Context& context, In h, float scale, Out dh) {
    each<kernels::ReluBackward>(context, dh, h, scale, dh);
  }
  static void accumulate(const Context& context, In x, Out y) { each<kernels::Accumulate>(context, y, x, y); }

  static void difference_norm(const Context& context, In f, In g, float* s) {
    rows<kernels::DifferenceNorm>(context, f, f, g, VectorView<float>(s, f.rows));
  }
  static void norm_gradient(const Context& context, In f, In g, float scale, Out dg, double* total) {
    static_cast<void>(elements(f.rows, f.cols));
    sum<kernels::NormGradient>(context, total, f, g, scale, dg);
  }
  static void mean_difference(const Context& context, In f, In g, float* m) {
    rows<kernels::MeanDifference>(context, f, f, g, VectorView<float>(m, f.rows));
  }
  static void sign_gradient(const Context& context, In f, In g, const float* w, Out dg) {
    each<kernels::SignGradient>(context, dg, f, g, VectorView<const float>(w, f.rows), dg);
  }
  static void anomaly_weights(const Context& context, const AnomalyLoss& loss, In y, In m, Out w, double* total) {
    sum<kernels::AnomalyWeights>(context, total, loss, y, m, w);
  }
  static void squared_norm(const Context& context, const float* x, Index n, double* total) {
    sum<kernels::SquaredNorm>(context, total, VectorView<const float>(x, elements(n, 1)));
  }

  static void adamw(const Context& context, const AdamW& a, Index n, float* p, const float* g, float* m, float* v) {
    context.template launch<kernels::AdamWElements>(
        {blocks(elements(n, 1), kernels::AdamWElements::threads)}, AdamWFactors(a), a.clip,
        VectorView<const double>(a.squared_norm, 1), VectorView<float>(p, n), VectorView<const float>(g, n),
        VectorView<float>(m, n), VectorView<float>(v, n));
  }

 private:
  /// Launches one thread per element of `result`.
  template <class Kernel, class... Arguments>
  static void each(const Context& context, Out result, const Arguments&... arguments) {
    context.template launch<Kernel>({blocks(elements(result.rows, result.cols), Kernel::threads)}, arguments...);
  }
  /// Launches one warp per row of x.
  template <class Kernel, class... Arguments>
  static void rows(const Context& context, In x, const Arguments&... arguments) {
    context.template launch<Kernel>({blocks(elements(x.rows, 1), Kernel::per_block)}, arguments...);
  }
  /// Adds to *total the sum of the parts that a kernel writes.
  template <class Kernel, class... Arguments>
  static void sum(const Context& context, double* total, const Arguments&... arguments) {
    const VectorView<double> parts = context.partial_sums();
    context.template launch<Kernel>({parts.size}, arguments..., parts);
    context.template launch<kernels::SumOfParts>({1}, VectorView<const double>(parts.data, parts.size),
                                                 VectorView<double>(total, 1));
  }
};

}  // namespace cuda
}  // namespace ADTR_ABI
}  // namespace adtr

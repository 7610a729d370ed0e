/// CUDA: distances between features and their reconstruction, and the losses, for any runtime (GPU or emulator).
#pragma once

#include "adtr/backend/cuda/kernels/losses.cuh"
#include "adtr/backend/cuda/launch.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda {

template <class Runtime>
struct Losses {
  using Context = typename Runtime::Context;
  using In = MatrixView<const float>;
  using Out = MatrixView<float>;

  static void difference_norm(const Context& context, In f, In g, float* s) {
    launch_rows<kernels::DifferenceNorm>(context, f, f, g, VectorView<float>(s, f.rows));
  }
  static void cosine_distance(const Context& context, In f, In g, float* s) {
    launch_rows<kernels::CosineDistance>(context, f, f, g, VectorView<float>(s, f.rows));
  }
  static void norm_gradient(const Context& context, In f, In g, float scale, Out dg, double* total) {
    static_cast<void>(elements(f.rows, f.cols));
    launch_sum<kernels::NormGradient>(context, total, f, g, scale, dg);
  }
  static void mean_difference(const Context& context, In f, In g, float* m) {
    launch_rows<kernels::MeanDifference>(context, f, f, g, VectorView<float>(m, f.rows));
  }
  static void sign_gradient(const Context& context, In f, In g, const float* w, Out dg) {
    launch_elements<kernels::SignGradient>(context, dg, f, g, VectorView<const float>(w, f.rows), dg);
  }
  static void anomaly_weights(const Context& context, const AnomalyLoss& loss, In y, In m, Out w, double* total) {
    launch_sum<kernels::AnomalyWeights>(context, total, loss, y, m, w);
  }
};

}  // namespace cuda
}  // namespace ADTR_ABI
}  // namespace adtr

/// Cpu: distances between features and their reconstruction, and the gradients of the losses.
#pragma once

#include <cmath>

#include "adtr/backend/cpu/dispatch.hpp"
#include "adtr/backend/cpu/loops.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cpu {

struct Losses {
  static void difference_norm(const Context& context, MatrixView<const float> f, MatrixView<const float> g, float* s) {
    const Kernels& kernel = kernels();
    for_rows(context, f.rows, 2 * f.cols, [&](Index r) {
      s[r] = static_cast<float>(std::sqrt(kernel.squared_distance(f.row(r), g.row(r), f.cols)));
    });
  }

  static void cosine_distance(const Context& context, MatrixView<const float> f, MatrixView<const float> g, float* s) {
    const Kernels& kernel = kernels();
    for_rows(context, f.rows, 4 * f.cols,
             [&](Index r) { s[r] = static_cast<float>(kernel.cosine_distance(f.row(r), g.row(r), f.cols)); });
  }

  static void norm_gradient(const Context& context, MatrixView<const float> f, MatrixView<const float> g, float scale,
                            MatrixView<float> dg, double* total) {
    const TrainingKernels& kernel = training_kernels();
    *total += sum_of_parts(context, f.rows, [&](Index begin, Index end) {
      double sum = 0.0;
      for (Index r = begin; r < end; ++r) sum += kernel.norm_gradient(f.row(r), g.row(r), f.cols, scale, dg.row(r));
      return sum;
    });
  }

  static void mean_difference(const Context& context, MatrixView<const float> f, MatrixView<const float> g, float* m) {
    const TrainingKernels& kernel = training_kernels();
    for_rows(context, f.rows, 2 * f.cols, [&](Index r) {
      m[r] = static_cast<float>(kernel.distance(f.row(r), g.row(r), f.cols) / static_cast<double>(f.cols));
    });
  }

  static void sign_gradient(const Context& context, MatrixView<const float> f, MatrixView<const float> g,
                            const float* w, MatrixView<float> dg) {
    const TrainingKernels& kernel = training_kernels();
    for_rows(context, f.rows, 2 * f.cols,
             [&](Index r) { kernel.sign_gradient(f.row(r), g.row(r), f.cols, w[r], dg.row(r)); });
  }
};

}  // namespace cpu
}  // namespace ADTR_ABI
}  // namespace adtr

/// Cpu: row-wise and element-wise operations of a transformer.
#pragma once

#include "adtr/backend/cpu/dispatch.hpp"
#include "adtr/backend/cpu/dropout.hpp"
#include "adtr/backend/cpu/loops.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cpu {

struct Tokens {
  static void add_positions(const Context& context, MatrixView<const float> x, MatrixView<const float> p,
                            MatrixView<float> y) {
    const Kernels& kernel = kernels();
    for_rows(context, x.rows, x.cols, [&](Index r) { kernel.add(x.row(r), p.row(r % p.rows), x.cols, y.row(r)); });
  }

  static void accumulate_positions(const Context& context, MatrixView<const float> dy, MatrixView<float> dp) {
    const Kernels& kernel = kernels();
    const Index images = dy.rows / dp.rows;
    for_rows(context, dp.rows, dp.cols * images, [&](Index t) {
      kernel.column_sums(dy.row(t), dy.stride * dp.rows, images, dp.cols, 1.0F, true, dp.row(t));
    });
  }

  static void layer_norm(const Context& context, MatrixView<const float> x, const float* gamma, const float* beta,
                         float eps, MatrixView<float> y, float* statistics) {
    const Kernels& kernel = kernels();
    for_rows(context, x.rows, 4 * x.cols, [&](Index r) {
      kernel.layer_norm(x.row(r), x.cols, gamma, beta, eps, y.row(r),
                        statistics == nullptr ? nullptr : statistics + 2 * r);
    });
  }

  static void layer_norm_backward(const Context& context, MatrixView<const float> x, const float* gamma,
                                  const float* statistics, MatrixView<const float> dy, MatrixView<float> dx,
                                  float* dgamma, float* dbeta) {
    const TrainingKernels& kernel = training_kernels();
    // Compute the sums over rows first, in parallel over columns, because dx may overwrite dy.
    context.for_ranges(x.cols, 32, static_cast<double>(2 * x.rows), [&](Index begin, Index end) {
      kernel.layer_norm_parameters(x.data + begin, x.stride, statistics, dy.data + begin, dy.stride, x.rows,
                                   end - begin, dgamma + begin, dbeta + begin);
    });
    for_rows(context, x.rows, 6 * x.cols,
             [&](Index r) { kernel.layer_norm_dx(x.row(r), x.cols, gamma, statistics + 2 * r, dy.row(r), dx.row(r)); });
  }

  static void dropout(const Context& context, MatrixView<const float> x, const Dropout& dropout,
                      MatrixView<const float> residual, MatrixView<float> y) {
    const Kernels& kernel = kernels();
    const DropoutStream stream = dropout_stream(dropout);
    for_rows(context, x.rows, 16 * x.cols, [&](Index r) {
      kernel.dropout(x.row(r), x.cols, stream, static_cast<std::uint64_t>(r * x.cols),
                     residual.data == nullptr ? nullptr : residual.row(r), y.row(r));
    });
  }

  static void relu_backward(const Context& context, MatrixView<const float> h, float scale, MatrixView<float> dh) {
    const TrainingKernels& kernel = training_kernels();
    for_rows(context, h.rows, h.cols, [&](Index r) { kernel.relu_backward(h.row(r), h.cols, scale, dh.row(r)); });
  }

  static void accumulate(const Context& context, MatrixView<const float> x, MatrixView<float> y) {
    const Kernels& kernel = kernels();
    for_rows(context, x.rows, x.cols, [&](Index r) { kernel.add(x.row(r), y.row(r), x.cols, y.row(r)); });
  }
};

}  // namespace cpu
}  // namespace ADTR_ABI
}  // namespace adtr

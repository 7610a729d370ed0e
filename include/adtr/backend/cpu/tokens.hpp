/// Cpu: row-wise and element-wise operations, losses and the optimiser.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "adtr/backend/cpu/context.hpp"
#include "adtr/backend/cpu/dispatch.hpp"
#include "adtr/core/ceil_div.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cpu {

[[nodiscard]] inline DropoutStream dropout_stream(const Dropout& dropout) {
  if (!dropout.active()) return {};
  const auto scale = static_cast<float>(1.0 / (1.0 - static_cast<double>(dropout.rate)));
  return {dropout.seed, dropout.site, dropout.step, dropout.threshold(), scale};
}

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

  static void difference_norm(const Context& context, MatrixView<const float> f, MatrixView<const float> g, float* s) {
    const Kernels& kernel = kernels();
    for_rows(context, f.rows, 2 * f.cols, [&](Index r) {
      s[r] = static_cast<float>(std::sqrt(kernel.squared_distance(f.row(r), g.row(r), f.cols)));
    });
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

  static void squared_norm(const Context& context, const float* x, Index n, double* total) {
    const TrainingKernels& kernel = training_kernels();
    *total +=
        sum_of_parts(context, n, [&](Index begin, Index end) { return kernel.squared_norm(x + begin, end - begin); });
  }

  static void adamw(const Context& context, const AdamW& a, Index n, float* p, const float* g, float* m, float* v) {
    const TrainingKernels& kernel = training_kernels();
    const AdamWFactors factors(a);
    const auto scale = static_cast<float>(a.gradient_scale());
    context.for_ranges(n, 64, 8.0, [&](Index begin, Index end) {
      kernel.adamw(factors, scale, end - begin, p + begin, g + begin, m + begin, v + begin);
    });
  }

 private:
  /// Calls fn(row) for every row; a row costs `cost` element operations.
  template <class F>
  static void for_rows(const Context& context, Index rows, Index cost, F&& fn) {
    context.for_ranges(rows, 1, static_cast<double>(cost), [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r) fn(r);
    });
  }

  /// Σ fn(begin, end) over parts of [0, count). The parts and their order do not depend on the number of threads.
  template <class F>
  static double sum_of_parts(const Context& context, Index count, F&& fn) {
    std::array<double, 128> sums{};
    const auto parts = static_cast<Index>(sums.size());
    const Index length = ceil_div(count, parts);
    context.for_each((std::min)(count, parts), [&](Index i) {
      const Index begin = (std::min)(count, i * length), end = (std::min)(count, begin + length);
      sums[static_cast<std::size_t>(i)] = fn(begin, end);
    });
    double sum = 0.0;
    for (const double part : sums) sum += part;
    return sum;
  }
};

}  // namespace cpu
}  // namespace ADTR_ABI
}  // namespace adtr

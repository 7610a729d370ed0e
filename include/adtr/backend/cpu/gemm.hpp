/// Cpu: matrix products and dense convolution, cut into tasks for the threads.
#pragma once

#include <algorithm>

#include "adtr/backend/cpu/dispatch.hpp"
#include "adtr/backend/cpu/packed.hpp"
#include "adtr/core/ceil_div.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cpu {

struct Gemm {
  static void multiply(const Context& context, MatrixView<const float> a, const Packed& b,
                       const Epilogue<float>& epilogue, MatrixView<float> c) {
    multiply(context, a, b.view(), epilogue, c);
  }
  static void multiply(const Context& context, MatrixView<const float> a, const PackedView& b,
                       const Epilogue<float>& epilogue, MatrixView<float> c) {
    const Kernels& kernel = kernels();
    // A block of rows of a stays in the second-level cache while it is multiplied by all panels of b.
    const Index max_block = std::clamp(cached_elements / (std::max)(b.inputs, Index{1}), Index{24}, Index{192});
    const Index rows = even_blocks(a.rows, max_block, kernel.row_tile);
    const Index row_blocks = ceil_div(a.rows, rows);
    const Index wanted = tasks(context, static_cast<double>(a.rows) * static_cast<double>(b.inputs * b.outputs));
    const Index columns = even_blocks(b.outputs, b.outputs / (std::max)(Index{1}, wanted / row_blocks), column_step);
    const Index column_blocks = ceil_div(b.outputs, columns);
    context.for_each(row_blocks * column_blocks, [&](Index i) {
      const Index r = i / column_blocks * rows;
      GemmTask task = gemm_task(b, epilogue);
      task.a = a.row(r);
      task.a_stride = a.stride;
      task.rows = (std::min)(rows, a.rows - r);
      task.begin = i % column_blocks * columns;
      task.end = (std::min)(b.outputs, task.begin + columns);
      task.c = c.row(r);
      task.c_stride = c.stride;
      if (task.residual != nullptr) task.residual += r * task.residual_stride;
      kernel.gemm(task);
    });
  }

  static void accumulate_weight_gradient(const Context& context, MatrixView<const float> dy, MatrixView<const float> x,
                                         MatrixView<float> dw) {
    const TrainingKernels& kernel = training_kernels();
    const Index outputs = even_blocks(dy.cols, 144, kernel.row_tile);
    const Index output_blocks = ceil_div(dy.cols, outputs);
    const Index wanted = tasks(context, static_cast<double>(dy.rows) * static_cast<double>(dy.cols * x.cols));
    const Index inputs = even_blocks(
        x.cols, (std::max)(column_step, x.cols / (std::max)(Index{1}, wanted / output_blocks)), column_step);
    const Index input_blocks = ceil_div(x.cols, inputs);
    context.for_each(output_blocks * input_blocks, [&](Index i) {
      const Index n = i / input_blocks * outputs, k = i % input_blocks * inputs;
      kernel.weight_gradient({dy.data + n, dy.stride, x.data + k, x.stride, dy.rows, (std::min)(outputs, dy.cols - n),
                              (std::min)(inputs, x.cols - k), dw.row(n) + k, dw.stride},
                             context.kernel_room().data());
    });
  }

  static void accumulate_column_sums(const Context& context, MatrixView<const float> a, float* sums) {
    const Kernels& kernel = kernels();
    context.for_ranges(a.cols, column_step, static_cast<double>(a.rows), [&](Index begin, Index end) {
      kernel.column_sums(a.data + begin, a.stride, a.rows, end - begin, 1.0F, true, sums + begin);
    });
  }

  static void convolve(const Context& context, MapView<const float> x, const Window& window, const Packed& w,
                       const Epilogue<float>& epilogue, MapView<float> y) {
    if (window.kernel == 1 && window.stride == 1 && window.top == 0 && window.left == 0 && x.height == y.height &&
        x.width == y.width)
      return multiply(context, x.matrix(), w, epilogue, y.matrix());
    const Kernels& kernel = kernels();
    ConvolveTask task{window_task(x, window, y), gemm_task(w.view(), epilogue)};
    task.gemm.end = w.outputs;
    const double cost = static_cast<double>(w.inputs * w.outputs) / flops_per_element;
    context.for_ranges(y.pixels(), 48, cost, [&](Index begin, Index end) {
      ConvolveTask part = task;
      part.maps.begin = begin;
      part.maps.end = end;
      kernel.convolve(part, context.kernel_room().data());
    });
  }

  /// Returns a task with the given maps and an empty range.
  [[nodiscard]] static WindowTask window_task(MapView<const float> x, const Window& window, MapView<float> y) {
    return {x.data, x.stride, x.height, x.width, x.channels, y.data, y.stride, y.height, y.width, 0, 0, window};
  }

 private:
  static constexpr Index cached_elements = 49152;    // 192 KB, less than half of a second-level cache
  static constexpr Index column_step = 96;           // tasks start at multiples: whole tiles of every instruction set
  static constexpr double flops_per_element = 16.0;  // multiplications in the time of one element operation

  /// Returns the length of blocks that cover n in about equal parts. It is a multiple of `step`, and at most
  /// `max_block` unless that is below `step`.
  [[nodiscard]] static Index even_blocks(Index n, Index max_block, Index step) {
    const Index whole = (std::max)(step, max_block / step * step);
    const Index blocks = (std::max)(Index{1}, ceil_div(n, whole));
    return round_up(ceil_div(n, blocks), step);
  }

  /// Number of tasks to make of a product with this many multiplications.
  [[nodiscard]] static Index tasks(const Context& context, double multiplications) {
    if (context.threads() == 1) return 1;
    return (std::min)(Index{4} * context.threads(), static_cast<Index>(multiplications / 400e3));
  }

  [[nodiscard]] static GemmTask gemm_task(const PackedView& b, const Epilogue<float>& epilogue) {
    GemmTask task;
    task.b = b.values;
    task.panel = b.inputs * panel_columns;
    task.inputs = b.inputs;
    task.bias = epilogue.bias;
    task.residual = epilogue.residual.data;
    task.residual_stride = epilogue.residual.stride;
    task.activation = epilogue.activation;
    return task;
  }
};

}  // namespace cpu
}  // namespace ADTR_ABI
}  // namespace adtr

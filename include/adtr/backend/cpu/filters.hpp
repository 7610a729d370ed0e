/// Cpu: depthwise convolution, alone or after an expansion, cut into tasks for the threads.
#pragma once

#include <algorithm>
#include <string>

#include "adtr/backend/cpu/dispatch.hpp"
#include "adtr/backend/cpu/packed.hpp"
#include "adtr/core/ceil_div.hpp"
#include "adtr/core/error.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cpu {

/// A task computes a block of channels and a range of rows. If rows are so wide that the input rows of a window would
/// not fit into the second-level cache, it computes a range of columns only.
struct Filters {
  [[nodiscard]] static FilterTask task(MapView<const float> x, const Window& window, const float* w, const float* bias,
                                       Activation activation, MapView<float> y) {
    FilterTask t;
    t.x_stride = x.stride;
    t.in_height = x.height;
    t.in_width = x.width;
    t.weight = w;
    t.bias = bias;
    t.channels = y.channels;
    t.window = window;
    t.activation = activation;
    t.y_stride = y.stride;
    t.out_width = y.width;
    return t;
  }

  /// Number of columns of a task. It depends on the shapes only, so that sums do not depend on the number of threads.
  [[nodiscard]] static constexpr Index columns_of_task(Index kernel, Index stride, Index in_height, Index in_width,
                                                       Index out_width) {
    Index columns = out_width;
    while (columns > 8 && max_channels(kernel, stride, in_height, in_width, columns) < panel_columns)
      columns = round_up(columns / 2, 8);
    return columns;
  }
  /// Number of tasks that share a row.
  [[nodiscard]] static constexpr Index pieces_of_row(Index kernel, Index stride, Index in_height, Index in_width,
                                                     Index out_width) {
    const Index columns = columns_of_task(kernel, stride, in_height, in_width, out_width);
    return ceil_div(out_width, columns);
  }

  /// Computes y from x. `given` is a task whose map pointers and ranges are still empty. If `sums` is not null, it
  /// receives the sums of y over the pieces of its rows: (batch, rows of y · pieces_of_row, channels).
  static void run(const Context& context, const FilterTask& given, MapView<const float> x, MapView<float> y,
                  float* sums = nullptr) {
    if (given.window.kernel > filter_kernel)
      throw Error("a depthwise window on the cpu backend is at most " + std::to_string(filter_kernel) + " wide, not " +
                      std::to_string(given.window.kernel) + ".",
                  ErrorCode::shape);
    const Kernels& kernel = kernels();
    const Blocks b = blocks(context, given, y);
    const Index channel_blocks = ceil_div(y.channels, b.channels), row_blocks = ceil_div(y.height, b.rows),
                column_blocks = ceil_div(y.width, b.columns);
    context.for_each(y.batch * row_blocks * column_blocks * channel_blocks, [&](Index i) {
      FilterTask t = given;
      t.first_channel = i % channel_blocks * b.channels;
      t.last_channel = (std::min)(y.channels, t.first_channel + b.channels);
      i /= channel_blocks;
      const Index piece = i % column_blocks;
      t.first_column = piece * b.columns;
      t.last_column = (std::min)(y.width, t.first_column + b.columns);
      i /= column_blocks;
      t.first_row = i % row_blocks * b.rows;
      t.last_row = (std::min)(y.height, t.first_row + b.rows);
      const Index n = i / row_blocks;
      t.x = x.image(n).data;
      t.y = y.image(n).data;
      t.sums_stride = column_blocks * y.channels;
      t.sums = sums == nullptr ? nullptr : sums + n * y.height * t.sums_stride + piece * y.channels;
      kernel.filter(t, context.kernel_room().data());
    });
  }

 private:
  static constexpr Index tasks_per_thread = 8;  // tasks differ in length, and the loop waits for the last
  static constexpr Index pixels_at_once = 192;  // pixels expanded at once: several rows if they are short
  static constexpr Index min_band = 16;         // rows of a task: rows at its edges are computed twice
  static constexpr Index ring_gap = 16;         // maximum gap between pixels of the ring
  static constexpr Index channel_step = 32;     // whole tiles of every instruction set
  static constexpr Index min_channels = 48;     // channels of a task: each task reads all input channels

  struct Blocks {
    Index channels, rows, columns;
  };

  /// Maximum channels of a block for which the ring of input rows has room for `columns` outputs per row.
  [[nodiscard]] static constexpr Index max_channels(Index kernel, Index stride, Index in_height, Index in_width,
                                                    Index columns) {
    const Index pixels = (round_up(columns, 8) - 1) * stride + kernel;
    const Index rows = (std::min)(in_height, kernel - 1 + (std::max)(Index{1}, pixels_at_once / in_width));
    const Index fit = ring_elements / ((std::max)(rows, kernel) * pixels) - ring_gap;
    return (std::min)(filter_channels, fit / (fit >= channel_step ? channel_step : panel_columns) *
                                           (fit >= channel_step ? channel_step : panel_columns));
  }

  [[nodiscard]] static Blocks blocks(const Context& context, const FilterTask& t, MapView<float> y) {
    Blocks b{};
    b.columns = columns_of_task(t.window.kernel, t.window.stride, t.in_height, t.in_width, y.width);
    const Index max_block =
        (std::max)(panel_columns, max_channels(t.window.kernel, t.window.stride, t.in_height, t.in_width, b.columns));
    const Index wanted = context.threads() == 1 ? 1 : tasks_per_thread * context.threads();
    const Index bands = std::clamp(y.height / min_band, Index{1}, Index{context.threads()});
    b.rows = ceil_div(y.height, y.batch >= wanted ? 1 : bands);
    const Index others = y.batch * ceil_div(y.height, b.rows) * ceil_div(y.width, b.columns);
    const Index share = round_up(ceil_div(y.channels, ceil_div(wanted, others)), panel_columns);
    const Index limit = (std::min)(max_block, (std::max)(share, min_channels));
    const Index even = ceil_div(y.channels, ceil_div(y.channels, limit));
    b.channels = (std::min)(limit, round_up(even, even > channel_step ? channel_step : panel_columns));
    return b;
  }
};

}  // namespace cpu
}  // namespace ADTR_ABI
}  // namespace adtr

/// dw += dyᵀ·x. Rows of dy and x are processed in blocks of a fixed size, and both are repacked.

inline constexpr Index gradient_rows = 256;     // rows of dy and x that go into one block
inline constexpr Index gradient_outputs = 144;  // columns of dy that are packed at a time
inline constexpr Index gradient_columns =
    width == 16 ? 2 * panel_columns : panel_columns;  // columns of x that are packed at a time
inline constexpr Index strip_gap = 16;                // elements behind a strip, because whole vectors are written

/// Packs columns of dy as strips of tile_rows columns, row after row. Strip s begins at
/// s·(gradient_rows·tile_rows + strip_gap).
ADTR_INLINE void pack_strips(const float* dy, Index stride, Index rows, Index outputs, float* strips) {
  constexpr int step = tile_rows(wide);
  constexpr Index strip = gradient_rows * step + strip_gap;
  for (Index r = 0; r < rows; ++r) {
    const float* from = dy + r * stride;
    float* to = strips + r * step;
    for (Index s = 0; s < outputs; s += step, to += strip)
      for (int j = 0; j < step; j += width) {
        const Index left = outputs - s - j;
        store(to + j, left >= width ? load(from + s + j) : load(from + s + j, left));
      }
  }
}

/// Prefetches `lines` cache lines of each of the rows [first, last) of a matrix.
ADTR_INLINE void prefetch_rows(const float* x, Index stride, Index first, Index last, Index lines) {
  for (Index r = first; r < last; ++r)
    for (Index i = 0; i < lines; ++i) prefetch(x + r * stride + line_elements * i);
}

/// The next block of dy, and how much of it has been prefetched. Each of the `steps` register tiles of a block
/// prefetches a part of the next one, because otherwise packing would wait for memory.
struct NextBlock {
  const float* dy;  ///< null after the last block
  Index dy_stride, rows, lines, steps, done;

  ADTR_INLINE void step() {
    if (dy != nullptr) prefetch_rows(dy, dy_stride, rows * done / steps, rows * (done + 1) / steps, lines);
    ++done;
  }
};

/// Computes gradient_columns columns of dw, from column k on, from packed strips and panels. `next_panel` is where the
/// next panel begins in x, or null.
ADTR_INLINE void gradient_column(const WeightGradientTask& t, Index n, Index outputs, Index rows, Index k,
                                 const float* strips, const float* panel, const float* next_panel, NextBlock& next) {
  constexpr int step = tile_rows(wide);
  const Index count = ceil_div(outputs, step);
  for (Index j = 0; j < gradient_columns && k + j < t.inputs; j += tile_columns) {
    Tile tile_task{};
    tile_task.row_step = 1;
    tile_task.k_step = step;
    tile_task.b = panel + j;
    tile_task.panel = gradient_rows * panel_columns;
    tile_task.k = rows;
    tile_task.n = t.inputs - k - j;
    tile_task.c_stride = tile_task.residual_stride = t.dw_stride;
    for (Index s = 0; s < count; ++s) {
      if (next_panel != nullptr)
        prefetch_rows(next_panel, t.x_stride, rows * s / count, rows * (s + 1) / count,
                      gradient_columns / panel_columns);
      next.step();
      tile_task.a = strips + s * (gradient_rows * step + strip_gap);
      tile_task.c = t.dw + (n + s * step) * t.dw_stride + k + j;
      tile_task.residual = tile_task.c;
      tile_column<wide>(smaller(step, outputs - s * step), tile_task);
    }
  }
}

[[gnu::noinline]] inline void weight_gradient(const WeightGradientTask& t, float* room) {
  constexpr int step = tile_rows(wide);
  constexpr Index strips_elements = gradient_outputs / step * (gradient_rows * step + strip_gap);
  static_assert(strips_elements + gradient_columns * gradient_rows <= kernel_room_elements);
  float* const strips = room;
  float* const panel = strips + strips_elements;
  for (Index n = 0; n < t.outputs; n += gradient_outputs) {
    const Index outputs = smaller(gradient_outputs, t.outputs - n);
    for (Index r = 0; r < t.rows; r += gradient_rows) {
      const Index rows = smaller(gradient_rows, t.rows - r), rows_left = t.rows - r - rows;
      pack_strips(t.dy + r * t.dy_stride + n, t.dy_stride, rows, outputs, strips);
      NextBlock next{};
      next.dy = rows_left == 0 ? nullptr : t.dy + (r + rows) * t.dy_stride + n;
      next.dy_stride = t.dy_stride;
      next.rows = smaller(gradient_rows, rows_left);
      next.lines = ceil_div(outputs, line_elements);
      next.steps = ceil_div(outputs, step) * ceil_div(t.inputs, gradient_columns);
      for (Index k = 0; k < t.inputs; k += gradient_columns) {
        const float* x = t.x + r * t.x_stride + k;
        for (Index i = 0; i < gradient_columns && k + i < t.inputs; i += panel_columns)
          copy_panel(x + i, t.x_stride, rows, t.inputs - k - i, panel + i * gradient_rows);
        const float* next_panel = k + gradient_columns < t.inputs ? x + gradient_columns
                                  : rows_left >= rows             ? t.x + (r + rows) * t.x_stride
                                                                  : nullptr;
        gradient_column(t, n, outputs, rows, k, strips, panel, next_panel, next);
      }
    }
  }
}

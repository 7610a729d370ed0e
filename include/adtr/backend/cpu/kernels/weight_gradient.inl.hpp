/// dw += dyᵀ·x: rows of dy and x in blocks of a fixed size, both repacked on the stack.

inline constexpr Index gradient_rows = 256;     // rows of dy and x that go into one block
inline constexpr Index gradient_outputs = 144;  // columns of dy that are packed at a time

/// Packs columns of dy as strips of tile_rows columns: strip s at s·(gradient_rows·tile_rows + 16), row after row.
ADTR_INLINE void pack_strips(const float* dy, Index stride, Index rows, Index outputs, float* strips) {
  constexpr int step = tile_rows(2);
  constexpr Index strip = gradient_rows * step + 16;  // a gap, since whole vectors are written
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

[[gnu::noinline]] inline void weight_gradient(const WeightGradientTask& t) {
  constexpr int vectors = width == 1 ? 4 : 2;
  constexpr int step = tile_rows(vectors);
  constexpr Index strip = gradient_rows * step + 16;
  constexpr Index panels = width == 16 ? 2 : 1;
  alignas(64) float strips[gradient_outputs / step * strip];
  alignas(64) float panel[panels * gradient_rows * 16];
  for (Index n = 0; n < t.outputs; n += gradient_outputs) {
    const Index outputs = smaller(gradient_outputs, t.outputs - n);
    for (Index r = 0; r < t.rows; r += gradient_rows) {
      const Index rows = smaller(gradient_rows, t.rows - r);
      pack_strips(t.dy + r * t.dy_stride + n, t.dy_stride, rows, outputs, strips);
      for (Index k = 0; k < t.inputs; k += 16 * panels) {
        for (Index i = 0; i < panels && k + 16 * i < t.inputs; ++i)
          copy_panel(t.x + r * t.x_stride + k + 16 * i, t.x_stride, rows, t.inputs - k - 16 * i,
                     panel + i * gradient_rows * 16);
        for (Index j = 0; j < 16 * panels && k + j < t.inputs; j += vectors * width) {
          Tile tile_task{};
          tile_task.row_step = 1;
          tile_task.k_step = step;
          tile_task.b = panel + j;
          tile_task.panel = gradient_rows * 16;
          tile_task.k = rows;
          tile_task.n = t.inputs - k - j;
          tile_task.c_stride = tile_task.residual_stride = t.dw_stride;
          for (Index s = 0; s * step < outputs; ++s) {
            tile_task.a = strips + s * strip;
            tile_task.c = t.dw + (n + s * step) * t.dw_stride + k + j;
            tile_task.residual = tile_task.c;
            tile_of<step, vectors>(smaller(step, outputs - s * step), tile_task);
          }
        }
      }
    }
  }
}

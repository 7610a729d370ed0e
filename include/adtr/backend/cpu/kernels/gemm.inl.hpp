/// Matrix products on packed panels.

/// Length of the pieces that k is cut into. The panel of a piece stays in the first-level cache while all rows of a
/// block are multiplied by it.
inline constexpr Index k_block = 256;
/// Maximum number of rows of a block, whose partial results are on the stack.
inline constexpr Index max_rows = 192;

/// Computes a block of at most `max_rows` rows. A is read at a[row·row_step + k·k_step].
ADTR_INLINE void gemm_block(const GemmTask& p, Index row_step, Index k_step, Index first_row, Index rows) {
  alignas(64) float partial[max_rows * tile_columns];
  const Index pieces = larger(1, (p.inputs + k_block / 2) / k_block);
  const Index piece = pieces == 1 ? p.inputs : k_block;
  const Clamp clamp = clamp_of(p.activation);
  for (Index column = p.begin; column < p.end;) {
    const Index columns = next_tile_columns(p.end - column);
    Tile t{};
    t.row_step = row_step;
    t.k_step = k_step;
    t.panel = p.panel;
    t.partial_stride = columns;
    t.n = p.end - column;
    t.c = p.c + first_row * p.c_stride + column;
    t.c_stride = p.c_stride;
    t.bias = p.bias == nullptr ? nullptr : p.bias + column;
    t.residual = p.residual == nullptr ? nullptr : p.residual + first_row * p.residual_stride + column;
    t.residual_stride = p.residual_stride;
    t.clamp = clamp;
    const float* a = p.a + first_row * row_step;
    const float* b = p.b + column / panel_columns * p.panel + column % panel_columns;
    const Index tiles = ceil_div(rows, tile_rows(wide));
    for (Index i = 0; i < pieces; ++i) {
      const Index k = i * piece;
      const bool last = i + 1 == pieces;
      t.a = a + k * k_step;
      t.b = b + k * panel_columns;
      t.k = last ? p.inputs - k : piece;
      // Prefetch the weights of the next tiles, for which the first tile of a column would otherwise wait. After the
      // last column these are the first column's, because another block of rows often follows.
      t.ahead = !last                      ? t.b + panel_columns * piece
                : column + columns < p.end ? b + columns / panel_columns * p.panel
                                           : p.b + p.begin / panel_columns * p.panel;
      t.ahead_step = ceil_div(32, tiles);
      t.before = i == 0 ? nullptr : partial;
      t.after = i + 1 == pieces ? nullptr : partial;
      tile_column(columns, rows, t);
    }
    finish_activation(p.activation, p.c + first_row * p.c_stride + column, p.c_stride, rows,
                      smaller(columns, p.end - column));
    column += columns;
  }
}

/// c = activation(a·b + bias + residual), with A stored by rows.
[[gnu::noinline]] inline void gemm(const GemmTask& p) {
  for (Index r = 0; r < p.rows; r += max_rows) gemm_block(p, p.a_stride, 1, r, smaller(max_rows, p.rows - r));
}

/// The same with A stored by columns, a_stride elements apart.
[[gnu::noinline]] inline void gemm_of_columns(const GemmTask& p) {
  for (Index r = 0; r < p.rows; r += max_rows) gemm_block(p, 1, p.a_stride, r, smaller(max_rows, p.rows - r));
}

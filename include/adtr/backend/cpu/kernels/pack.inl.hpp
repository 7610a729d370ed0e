/// Packing of weights.

/// Packs 64 columns of w at a time: their panel of 4 KB stays in the first-level cache while it is written in halves.
[[gnu::noinline]] inline void pack(const float* w, Index stride, Index rows, Index columns, float* panels) {
  for (Index j = 0; j < rows; j += panel_columns, panels += panel_columns * columns)
    for (Index c = 0; c < columns; c += 64)
      pack_columns(w + j * stride + c, stride, smaller(panel_columns, rows - j), smaller(64, columns - c),
                   panels + panel_columns * c);
}

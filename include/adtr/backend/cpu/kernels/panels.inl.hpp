/// Copying matrices into panels of panel_columns columns.

/// Copies `rows` × `columns` of a matrix into a panel (rows, panel_columns), with zeros beyond the last column.
ADTR_INLINE void copy_panel(const float* x, Index stride, Index rows, Index columns, float* panel) {
  if (columns >= panel_columns) {
    for (Index r = 0; r < rows; ++r) {
      ADTR_UNROLL for (int j = 0; j < panel_columns; j += width)
          store(panel + panel_columns * r + j, load(x + r * stride + j));
    }
    return;
  }
  for (Index r = 0; r < rows; ++r)
    for (Index j = 0; j < panel_columns; j += width)
      store(panel + panel_columns * r + j, load(x + r * stride + j, columns - j));
}

/// Packs `count` rows of x as the columns of panels (channels, panel_columns), with zeros beyond the last row.
ADTR_INLINE void pack_columns(const float* x, Index stride, Index count, Index channels, float* panels) {
  for (Index j = 0; j < count; j += panel_columns, panels += panel_columns * channels)
    for (Index i = 0; i < panel_columns; i += width)
      for (Index c = 0; c < channels; c += width) {
        const Index rows = smaller(width, count - j - i), columns = smaller(width, channels - c);
        const float* from = x + (j + i) * stride + c;
        Vec r[width];
        ADTR_UNROLL for (int k = 0; k < width; ++k) r[k] = k < rows ? load(from + k * stride, columns) : zero();
        transpose(r);
        ADTR_UNROLL for (int k = 0; k < width; ++k) {
          if (k < columns) store(panels + panel_columns * (c + k) + i, r[k]);
        }
      }
}
/// Packs `count` rows of x as panels (count, panel_columns).
ADTR_INLINE void pack_rows(const float* x, Index stride, Index count, Index channels, float* panels) {
  for (Index c = 0; c < channels; c += panel_columns, panels += panel_columns * count)
    copy_panel(x + c, stride, count, channels - c, panels);
}

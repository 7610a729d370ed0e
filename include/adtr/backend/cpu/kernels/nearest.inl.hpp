/// The distance to the nearest token of a bank; see nearest_margin.hpp.

/// Rows and tokens of a block, whose scores lie in the kernel's room.
inline constexpr Index nearest_rows = 96;
inline constexpr Index nearest_tokens = 256;
static_assert(nearest_rows * nearest_tokens <= kernel_room_elements);

/// The smaller one of `nearest` and the squared distances between x and the first `tokens` columns of a panel.
[[gnu::noinline]] inline float nearest_of_panel(const float* x, Index inputs, const float* panel, Index tokens,
                                                float nearest) {
  constexpr int vectors = static_cast<int>(panel_columns) / width;
  Vec total[vectors];
  ADTR_UNROLL for (int j = 0; j < vectors; ++j) total[j] = zero();
  for (Index first = 0; first < inputs; first += sum_block) {
    Vec s[vectors];
    ADTR_UNROLL for (int j = 0; j < vectors; ++j) s[j] = zero();
    for (Index k = first; k < smaller(inputs, first + sum_block); ++k) {
      ADTR_UNROLL for (int j = 0; j < vectors; ++j) {
        const Vec d = set(x[k]) - load(panel + panel_columns * k + j * width);
        s[j] = fma(d, d, s[j]);
      }
    }
    ADTR_UNROLL for (int j = 0; j < vectors; ++j) total[j] = total[j] + s[j];
  }
  float squared[panel_columns];
  ADTR_UNROLL for (int j = 0; j < vectors; ++j) store(squared + j * width, total[j]);
  for (Index j = 0; j < smaller(panel_columns, tokens); ++j)
    if (!(squared[j] >= nearest)) nearest = squared[j];
  return nearest;
}

/// What is known of a row after some tokens.
struct NearestRow {
  float margin;   ///< a token whose score is below the largest one by more is not the nearest
  float top;      ///< the largest score
  float nearest;  ///< the smallest squared distance
};

/// Updates a row by its scores with the tokens from `first` on. Comparisons with NaN do not rule a token out.
ADTR_INLINE void scan_scores(const NearestTask& p, const float* x, const float* scores, Index first, Index columns,
                             NearestRow& row) {
  const float block_top = largest_of(scores, columns);
  if (block_top > row.top) row.top = block_top;
  const float least = row.top - row.margin;
  if (block_top < least) return;
  for (Index c = 0; c < columns; c += panel_columns) {
    if (largest_of(scores + c, panel_columns) < least) continue;
    row.nearest = nearest_of_panel(x, p.inputs, p.b + (first + c) * p.inputs, p.tokens - first - c, row.nearest);
  }
}

[[gnu::noinline]] inline void nearest(const NearestTask& p, float* room) {
  for (Index r = 0; r < p.rows; r += nearest_rows) {
    NearestRow rows[nearest_rows];
    GemmTask product;
    product.a = p.x + r * p.x_stride;
    product.a_stride = p.x_stride;
    product.panel = p.inputs * panel_columns;
    product.rows = smaller(nearest_rows, p.rows - r);
    product.inputs = p.inputs;
    product.c = room;
    product.c_stride = nearest_tokens;
    for (Index i = 0; i < product.rows; ++i) {
      const auto norm = static_cast<float>(__builtin_sqrt(squared_norm(product.a + i * p.x_stride, p.inputs)));
      rows[i] = {nearest_margin(p.inputs, norm, p.max_norm), -__builtin_inff(), __builtin_inff()};
    }
    for (Index first = 0; first < p.tokens; first += nearest_tokens) {
      product.b = p.b + first * p.inputs;
      product.bias = p.bias + first;
      product.end = smaller(nearest_tokens, ceil_div(p.tokens - first, panel_columns) * panel_columns);
      gemm(product);
      for (Index i = 0; i < product.rows; ++i)
        scan_scores(p, product.a + i * p.x_stride, room + i * nearest_tokens, first, product.end, rows[i]);
    }
    for (Index i = 0; i < product.rows; ++i) p.distances[r + i] = __builtin_sqrtf(rows[i].nearest);
  }
}

/// The gradient of attention. Probabilities are computed again from log Σ exp (Dao et al., "FlashAttention", 2022).

inline constexpr Index gradient_queries = 48;
inline constexpr Index query_block = attention_block / 4 * 3;

/// Number of queries of a tile, chosen so that the tile fits into its buffers.
ADTR_INLINE Index queries_of_tile(Index channels) {
  constexpr int step = tile_rows(wide);
  return smaller(gradient_queries, query_block / round_up(channels, panel_columns) / step * step);
}

/// For one query: replaces its scores s by dS = P∘(dP − Σ dP∘P)·scale, and its products g = dO·Vᵀ by P after dropout.
ADTR_INLINE void score_gradients(float* s, float* g, Index n, const AttentionTask& t, float log_sum_exp, float dot,
                                 const std::uint16_t* bits) {
  const Vec scale = set(t.scale), factor = set(t.scale * log2_e), offset = set(-log_sum_exp * log2_e),
            drop_scale = set(t.dropout.scale), center = set(dot);
  for (Index j = 0; j < n; j += width) {
    const Index left = n - j;
    const Vec p = power_of_two(fma(load(s + j, left), factor, offset));
    Vec dp = load(g + j, left), kept = p;
    if (bits != nullptr) {
      dp = keep(bits + j, t.dropout.threshold, dp) * drop_scale;
      kept = keep(bits + j, t.dropout.threshold, p) * drop_scale;
    }
    store(s + j, p * (dp - center) * scale, left);
    store(g + j, kept, left);
  }
}

/// c = a·b, or c += a·b if `accumulate`.
ADTR_INLINE void multiply_block(const float* a, Index a_stride, const float* b, Index rows, Index inputs, Index columns,
                                float* c, Index c_stride, bool accumulate, bool a_in_columns) {
  GemmTask p{};
  p.a = a;
  p.a_stride = a_stride;
  p.b = b;
  p.panel = panel_columns * inputs;
  p.rows = rows;
  p.inputs = inputs;
  p.end = columns;
  p.c = c;
  p.c_stride = p.residual_stride = c_stride;
  p.residual = accumulate ? c : nullptr;
  if (a_in_columns)
    gemm_of_columns(p);
  else
    gemm(p);
}

[[gnu::noinline]] inline void attention_backward(const AttentionGradientTask& g, float* room) {
  constexpr Index row_length =
      max_keys + score_gap;  // no power of two, so that the elements of a column fall into many cache sets
  constexpr Index tile_elements = gradient_queries * row_length;
  static_assert(3 * attention_block + 2 * query_block + 2 * tile_elements <= kernel_room_elements);
  float* const keys = room;
  float* const values = keys + attention_block;
  float* const key_rows = values + attention_block;
  float* const query_panel = key_rows + attention_block;
  float* const dout_panel = query_panel + query_block;
  float* const scores = dout_panel + query_block;
  float* const products = scores + tile_elements;
  alignas(64) std::uint16_t bits[random_capacity];
  const AttentionTask& t = g.forward;
  const Index d = t.channels, block = keys_of_block(d), tile = queries_of_tile(d);
  for (Index k0 = 0; k0 < t.tokens; k0 += block) {
    const Index count = smaller(block, t.tokens - k0);
    pack_columns(t.key + k0 * t.key_stride, t.key_stride, count, d, keys);
    pack_columns(t.value + k0 * t.value_stride, t.value_stride, count, d, values);
    pack_rows(t.key + k0 * t.key_stride, t.key_stride, count, d, key_rows);
    for (Index i0 = 0; i0 < t.tokens; i0 += tile) {
      const Index rows = smaller(tile, t.tokens - i0);
      const float* query = t.query + i0 * t.query_stride;
      const float* dout = g.dout + i0 * g.dout_stride;
      multiply_block(query, t.query_stride, keys, rows, d, count, scores, row_length, false, false);
      multiply_block(dout, g.dout_stride, values, rows, d, count, products, row_length, false, false);
      for (Index i = 0; i < rows; ++i) {
        const std::uint16_t* random = nullptr;
        if (t.dropout.threshold != 0)
          random = random_row(t.dropout, t.first + static_cast<std::uint64_t>((i0 + i) * t.tokens + k0), count, bits);
        const float* out = t.out + (i0 + i) * t.out_stride;
        Vec dot = zero();
        for (Index c = 0; c < d; c += width)
          dot = fma(load(out + c, d - c), load(dout + i * g.dout_stride + c, d - c), dot);
        score_gradients(scores + i * row_length, products + i * row_length, count, t, t.log_sum_exp[i0 + i], sum(dot),
                        random);
      }
      multiply_block(scores, row_length, key_rows, rows, count, d, g.dquery + i0 * g.dquery_stride, g.dquery_stride,
                     k0 != 0, false);
      pack_rows(query, t.query_stride, rows, d, query_panel);
      multiply_block(scores, row_length, query_panel, count, rows, d, g.dkey + k0 * g.dkey_stride, g.dkey_stride,
                     i0 != 0, true);
      pack_rows(dout, g.dout_stride, rows, d, dout_panel);
      multiply_block(products, row_length, dout_panel, count, rows, d, g.dvalue + k0 * g.dvalue_stride, g.dvalue_stride,
                     i0 != 0, true);
    }
  }
}

/// Multi-head attention, forward. Keys are processed in blocks and queries in tiles, and the softmax is updated from
/// block to block (Milakov & Gimelshein, "Online normalizer calculation for softmax", 2018). So the scores of a tile
/// stay in the first-level cache.

/// Maximum number of elements of a packed block of keys or values. A block has panel_columns keys of 512 channels, or
/// more keys of fewer channels.
inline constexpr Index attention_block = 8192;
inline constexpr Index query_rows = 24;
inline constexpr Index max_keys = 256;
inline constexpr Index score_gap = 16;  // elements between rows of scores, so that their distance is no power of two
inline constexpr Index attention_rows = 1024;  // maximum number of queries of one task

/// Number of keys of a block. It depends only on the channels, so that sums always have the same order.
ADTR_INLINE Index keys_of_block(Index channels) {
  return smaller(max_keys, attention_block / round_up(channels, panel_columns) / panel_columns * panel_columns);
}

/// Replaces n scores s ≤ shift / scale by exp(scale·s − shift) and returns their sum.
ADTR_INLINE float exponentials(float* s, Index n, float scale, float shift) {
  const Vec factor = set(scale * log2_e), offset = set(-shift * log2_e);
  Vec total = zero();
  Index j = 0;
  for (; j + width <= n; j += width) {
    const Vec p = power_of_two(fma(load(s + j), factor, offset));
    store(s + j, p);
    total = total + p;
  }
  float rest = 0.0F;
  for (; j < n; ++j) rest += s[j] = largest(power_of_two(fma(set(s[j]), factor, offset)));
  return sum(total) + rest;
}

ADTR_INLINE float largest_of(const float* s, Index n) {
  Vec maximum = set(-__builtin_inff());
  Index j = 0;
  for (; j + width <= n; j += width) maximum = max(maximum, load(s + j));
  float result = largest(maximum);
  for (; j < n; ++j) result = s[j] > result ? s[j] : result;
  return result;
}

[[gnu::noinline]] inline void attention(const AttentionTask& t, float* room) {
  static_assert(2 * attention_block + query_rows * (max_keys + score_gap) <= kernel_room_elements);
  float* const keys = room;
  float* const values = keys + attention_block;
  float* const scores = values + attention_block;
  alignas(64) float maximum[attention_rows], total[attention_rows];
  const Index d = t.channels, block = keys_of_block(d);
  for (Index k0 = 0; k0 < t.tokens; k0 += block) {
    const Index count = smaller(block, t.tokens - k0), padded = round_up(count, panel_columns) + score_gap;
    pack_columns(t.key + k0 * t.key_stride, t.key_stride, count, d, keys);
    pack_rows(t.value + k0 * t.value_stride, t.value_stride, count, d, values);
    for (Index i0 = t.begin; i0 < t.end; i0 += query_rows) {
      const Index rows = smaller(query_rows, t.end - i0);
      GemmTask s{};
      s.a = t.query + i0 * t.query_stride;
      s.a_stride = t.query_stride;
      s.b = keys;
      s.panel = panel_columns * d;
      s.rows = rows;
      s.inputs = d;
      s.end = count;
      s.c = scores;
      s.c_stride = padded;
      gemm(s);
      float block_maximum[query_rows];
      for (Index i = 0; i < rows; ++i) block_maximum[i] = t.scale * largest_of(scores + i * padded, count);
      for (Index i = 0; i < rows; ++i) {
        float* row = scores + i * padded;
        float* out = t.out + (i0 + i) * t.out_stride;
        float& m = maximum[i0 + i - t.begin];
        float& l = total[i0 + i - t.begin];
        if (k0 == 0) {
          m = block_maximum[i];
          l = exponentials(row, count, t.scale, m);
        } else {
          const float before = m;
          m = block_maximum[i] > m ? block_maximum[i] : m;
          const float shrink = largest(exponential(set(before - m)));
          l = l * shrink + exponentials(row, count, t.scale, m);
          for (Index c = 0; c < d; c += width) store(out + c, load(out + c, d - c) * set(shrink), d - c);
        }
        if (t.dropout.threshold != 0)
          dropout(row, count, t.dropout, t.first + static_cast<std::uint64_t>((i0 + i) * t.tokens + k0), nullptr, row);
      }
      GemmTask o{};
      o.a = scores;
      o.a_stride = padded;
      o.b = values;
      o.panel = panel_columns * count;
      o.rows = rows;
      o.inputs = count;
      o.end = d;
      o.c = t.out + i0 * t.out_stride;
      o.c_stride = o.residual_stride = t.out_stride;
      o.residual = k0 == 0 ? nullptr : o.c;
      gemm(o);
    }
  }
  for (Index i = t.begin; i < t.end; ++i) {
    const float l = total[i - t.begin];
    float* out = t.out + i * t.out_stride;
    for (Index c = 0; c < d; c += width) store(out + c, load(out + c, d - c) * set(1.0F / l), d - c);
    if (t.log_sum_exp != nullptr) t.log_sum_exp[i] = maximum[i - t.begin] + __builtin_logf(l);
  }
}

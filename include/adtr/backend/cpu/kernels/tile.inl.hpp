/// The register tile: rows × vectors of accumulators, one fused multiply-add per accumulator and k.
///
/// Every element of a product is the same chain acc = fma(a[k], b[k], acc), k ascending from 0, whichever tile shape
/// computes it and wherever the k range is cut. So results do not depend on how work is split or on the neighbours.

/// Rows of a tile that is `vectors` wide: what fills the registers.
constexpr int tile_rows(int vectors) {
  if (width == 16) return vectors == 3 ? 8 : 12;
  if (width == 8) return vectors == 3 ? 4 : vectors == 2 ? 6 : 8;
  return 4;
}
/// How many vectors the next tile takes where n columns are left.
ADTR_INLINE int tile_vectors(Index n) {
  if (width == 1) return 4;
  if (n <= width) return 1;
  return n > 2 * width && n <= 3 * width ? 3 : 2;
}
inline constexpr int widest_tile = width == 1 ? 4 : 3 * width;  // columns

/// What a tile is made from and where it goes. A is read at a[row·row_step + k·k_step].
struct Tile {
  const float* a;
  Index row_step, k_step;
  const float* b;  ///< row k of the panel at b + 16·k
  Index panel;
  Index k;              ///< how many
  const float* before;  ///< accumulators of earlier k, or null
  float* after;         ///< where to put them for later k; null: finish
  Index partial_stride;
  Index n;  ///< columns to store
  float* c;
  Index c_stride;
  const float* bias;
  const float* residual;
  Index residual_stride;
  Activation activation;
};

/// Vector j of a row of the panels at b, of which there is one every 16 columns.
ADTR_INLINE const float* panel_vector(const float* b, Index panel, int j) {
  return b + (j * width / 16) * panel + j * width % 16;
}

template <int Rows, int Vectors>
ADTR_INLINE void multiply_step(Vec (&acc)[Rows][Vectors], const Tile& t, const float* a, const float* b) {
  Vec bv[Vectors];
  ADTR_UNROLL for (int j = 0; j < Vectors; ++j) bv[j] = load(panel_vector(b, t.panel, j));
  ADTR_UNROLL for (int i = 0; i < Rows; ++i) {
    const Vec av = set(a[i * t.row_step]);
    ADTR_UNROLL for (int j = 0; j < Vectors; ++j) acc[i][j] = fma(av, bv[j], acc[i][j]);
  }
}

/// activation(acc + bias + residual) into c.
template <int Rows, int Vectors>
ADTR_INLINE void finish(const Vec (&acc)[Rows][Vectors], const Tile& t) {
  const bool smooth = t.activation == Activation::silu;
  const Vec low = set(lower_bound(t.activation)), high_bound = set(upper_bound(t.activation));
  ADTR_UNROLL for (int j = 0; j < Vectors; ++j) {
    const Index left = t.n - j * width;
    const Vec bias = t.bias == nullptr ? zero() : load(t.bias + j * width, left);
    ADTR_UNROLL for (int i = 0; i < Rows; ++i) {
      Vec x = acc[i][j] + bias;
      if (t.residual != nullptr) {
        x = x + load(t.residual + i * t.residual_stride + j * width, left);
      }
      store(t.c + i * t.c_stride + j * width, clamp(x, low, high_bound), left);
    }
  }
  if (!smooth) return;
  // In a second pass over what was just stored: with the accumulators live there are no registers for the exponential.
  for (int i = 0; i < Rows; ++i)
    for (Index j = 0; j < t.n && j < Vectors * width; j += width) {
      float* c = t.c + i * t.c_stride + j;
      store(c, silu(load(c, t.n - j)), t.n - j);
    }
}

template <int Rows, int Vectors>
[[gnu::noinline]] void tile(const Tile& given) {
  const Tile t = given;
  Vec acc[Rows][Vectors];
  ADTR_UNROLL for (int i = 0; i < Rows; ++i) {
    ADTR_UNROLL for (int j = 0; j < Vectors; ++j) {
      acc[i][j] = t.before == nullptr ? zero() : load(t.before + i * t.partial_stride + j * width);
    }
  }
  const float* a = t.a;
  const float* b = t.b;
  if (t.k_step == 1) {
    Index k = 0;
    for (; k + 4 <= t.k; k += 4, a += 4, b += 64) {
      ADTR_UNROLL for (int u = 0; u < 4; ++u) multiply_step(acc, t, a + u, b + 16 * u);
    }
    for (; k < t.k; ++k, ++a, b += 16) multiply_step(acc, t, a, b);
  } else {
    Tile s = t;
    s.row_step = 1;  // the other order of A has its rows next to each other
    for (Index k = 0; k < t.k; ++k, a += t.k_step, b += 16) multiply_step(acc, s, a, b);
  }
  if (t.after == nullptr) {
    finish(acc, t);
    return;
  }
  ADTR_UNROLL for (int i = 0; i < Rows; ++i) {
    ADTR_UNROLL for (int j = 0; j < Vectors; ++j) store(t.after + i * t.partial_stride + j * width, acc[i][j]);
  }
}

/// Runs a tile of `rows` ≤ Rows rows.
template <int Rows, int Vectors>
ADTR_INLINE void tile_of(Index rows, const Tile& t) {
  if constexpr (Rows > 0) {
    if (rows == Rows)
      tile<Rows, Vectors>(t);
    else
      tile_of<Rows - 1, Vectors>(rows, t);
  }
}

/// One column of tiles: `rows` rows by `vectors` vectors.
template <int Vectors>
ADTR_INLINE void tile_column(Index rows, Tile t) {
  constexpr int step = tile_rows(Vectors);
  for (Index i = 0; i < rows; i += step) {
    tile_of<step, Vectors>(rows - i < step ? rows - i : step, t);
    t.a += step * t.row_step;
    t.c += step * t.c_stride;
    if (t.residual != nullptr) t.residual += step * t.residual_stride;
    if (t.before != nullptr) t.before += step * t.partial_stride;
    if (t.after != nullptr) t.after += step * t.partial_stride;
  }
}

ADTR_INLINE void tile_column(int vectors, Index rows, const Tile& t) {
  if (width == 1) {
    tile_column<4>(rows, t);
  } else if (vectors == 1) {
    tile_column<1>(rows, t);
  } else if (vectors == 2) {
    tile_column<2>(rows, t);
  } else {
    tile_column<3>(rows, t);
  }
}

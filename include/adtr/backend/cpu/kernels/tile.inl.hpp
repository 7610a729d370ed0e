/// The register tile: rows × vectors of accumulators. Each accumulator gets one fused multiply-add per k.
///
/// Every element of a product is the chain acc = fma(a[k], b[k], acc) with k ascending from 0, whichever tile shape
/// computes it and wherever the range of k is cut. So a result does not depend on how the work is split, nor on the
/// elements around it.

/// Number of vectors of a tile. Tiles of the last columns may have a single vector. There are no further widths,
/// because everyone who includes this file would have to compile them.
inline constexpr int wide = width == 1 ? 4 : 2;
inline constexpr Index tile_columns = wide * width;

/// Number of rows of a tile that is `vectors` wide: as many as the registers hold.
constexpr int tile_rows(int vectors) {
  if (width == 16) return 12;
  if (width == 8) return vectors == 2 ? 6 : 8;
  return 4;
}

/// The inputs of a tile and where its result goes. A is read at a[row·row_step + k·k_step].
struct Tile {
  const float* a;
  Index row_step, k_step;
  const float* b;  ///< row k of the panel at b + k·panel_columns
  Index panel;
  const float* ahead = nullptr;  ///< b of the next tiles; every second k prefetches a part of it
  Index ahead_step = 0;          ///< elements that `ahead` advances with every second k
  Index k;                       ///< number of k
  const float* before;           ///< accumulators after the earlier k, or null
  float* after;                  ///< where to store the accumulators for later k, or null to finish the tile
  Index partial_stride;
  Index n;  ///< columns to store
  float* c;
  Index c_stride;
  const float* bias;
  const float* residual;
  Index residual_stride;
  Clamp clamp;  ///< the part of the activation that the tile applies
};

/// Returns vector j of a row of the panels at b. There is a panel for every panel_columns columns.
ADTR_INLINE const float* panel_vector(const float* b, Index panel, int j) {
  return b + (j * width / panel_columns) * panel + j * width % panel_columns;
}

/// acc += a[i]·b for one k. The rows of A are `step` elements apart, and each pointer in `a` serves three rows.
template <int Rows, int Vectors>
ADTR_INLINE void multiply_step(Vec (&acc)[Rows][Vectors], const float* const (&a)[(Rows + 2) / 3], Index step, int k,
                               const float* b, Index panel) {
  Vec bv[Vectors];
  ADTR_UNROLL for (int j = 0; j < Vectors; ++j) bv[j] = load(panel_vector(b, panel, j));
  ADTR_UNROLL for (int i = 0; i < Rows; ++i) {
    const Vec av = set(a[i / 3][i % 3 * step + k]);
    ADTR_UNROLL for (int j = 0; j < Vectors; ++j) acc[i][j] = fma(av, bv[j], acc[i][j]);
  }
}

/// Prefetches the cache lines of the panels at b.
template <int Vectors>
ADTR_INLINE void prefetch_panels(const float* b, Index panel) {
  ADTR_UNROLL for (int j = 0; j < Vectors; j += static_cast<int>(panel_columns) / width)
      __builtin_prefetch(panel_vector(b, panel, j), 0, 2);
}

/// acc += a[i]·b for all k. Left alone, compilers keep an offset for every row and every unrolled k, and run out of
/// registers. The empty `asm` hides the pointers from them, so that they address A as written: with one pointer per
/// three rows and one stride.
template <int Rows, int Vectors>
ADTR_INLINE void multiply_all(Vec (&acc)[Rows][Vectors], Tile& t) {
  constexpr int pointers = (Rows + 2) / 3;
  const bool in_rows = t.k_step == 1;
  const Index step = in_rows ? t.row_step : 1;
  const float* a[pointers];
  ADTR_UNROLL for (int i = 0; i < pointers; ++i) a[i] = t.a + 3 * i * step;
  const float* b = t.b;
  if (in_rows) {
    Index k = t.k;
    const float* ahead = t.ahead == nullptr ? b : t.ahead;
    for (; k >= 2; k -= 2, b += 2 * panel_columns, ahead += t.ahead_step) {
      ADTR_UNROLL for (int i = 0; i < pointers; ++i) asm("" : "+r"(a[i]));
      prefetch_panels<Vectors>(ahead, t.panel);
      multiply_step(acc, a, step, 0, b, t.panel);
      multiply_step(acc, a, step, 1, b + panel_columns, t.panel);
      ADTR_UNROLL for (int i = 0; i < pointers; ++i) a[i] += 2;
    }
    if (t.ahead != nullptr) t.ahead = ahead;
    if (k > 0) multiply_step(acc, a, step, 0, b, t.panel);
    return;
  }
  for (Index k = t.k; k > 0; --k, b += panel_columns) {
    multiply_step(acc, a, 1, 0, b, t.panel);
    ADTR_UNROLL for (int i = 0; i < pointers; ++i) a[i] += t.k_step;
  }
}

/// c = activation(acc + bias + residual). A curve is left to `finish_activation`, because beside the accumulators there
/// are no registers for it.
template <int Rows, int Vectors>
ADTR_INLINE void finish(const Vec (&acc)[Rows][Vectors], const Tile& t) {
  const Clamp clamp = t.clamp;
  ADTR_UNROLL for (int j = 0; j < Vectors; ++j) {
    const Index left = t.n - j * width;
    const Vec bias = t.bias == nullptr ? zero() : load(t.bias + j * width, left);
    ADTR_UNROLL for (int i = 0; i < Rows; ++i) {
      Vec x = acc[i][j] + bias;
      if (t.residual != nullptr) {
        x = x + load(t.residual + i * t.residual_stride + j * width, left);
      }
      store(t.c + i * t.c_stride + j * width, clamp(x), left);
    }
  }
}

/// Computes `count` tiles, one below the other, and moves `t` past them.
template <int Rows, int Vectors>
[[gnu::noinline]] void tiles(Tile& given, Index count) {
  Tile t = given;
  for (; count > 0; --count) {
    Vec acc[Rows][Vectors];
    if (t.before == nullptr) {
      ADTR_UNROLL for (int i = 0; i < Rows; ++i) { ADTR_UNROLL for (int j = 0; j < Vectors; ++j) acc[i][j] = zero(); }
    } else {
      ADTR_UNROLL for (int i = 0; i < Rows; ++i) {
        ADTR_UNROLL for (int j = 0; j < Vectors; ++j) acc[i][j] = load(t.before + i * t.partial_stride + j * width);
      }
      t.before += Rows * t.partial_stride;
    }
    if (t.after == nullptr) {
      // Prefetch the cache lines of the result now, because they would be late when the sums are ready.
      ADTR_UNROLL for (int i = 0; i < Rows; ++i) __builtin_prefetch(t.c + i * t.c_stride, 1, 3);
      if (t.residual != nullptr) {
        ADTR_UNROLL for (int i = 0; i < Rows; ++i) __builtin_prefetch(t.residual + i * t.residual_stride, 0, 3);
      }
    }
    multiply_all(acc, t);
    t.a += Rows * t.row_step;
    if (t.after == nullptr) {
      finish(acc, t);
      t.c += Rows * t.c_stride;
      if (t.residual != nullptr) t.residual += Rows * t.residual_stride;
    } else {
      ADTR_UNROLL for (int i = 0; i < Rows; ++i) {
        ADTR_UNROLL for (int j = 0; j < Vectors; ++j) store(t.after + i * t.partial_stride + j * width, acc[i][j]);
      }
      t.after += Rows * t.partial_stride;
    }
  }
  given = t;
}

/// Computes tiles of `Rows` rows while that many are left, and moves t and rows past them. The last eight rows are left
/// to two tiles of four, because a tile of six and one of two would not keep the multipliers busy.
template <int Rows, int Vectors>
ADTR_INLINE void tiles_of(Index& rows, Tile& t) {
  Index count = rows / Rows;
  if (Rows == 6 && rows % Rows == 2 && count > 0) --count;
  if (count > 0) tiles<Rows, Vectors>(t, count);
  rows -= count * Rows;
}

/// Computes one column of tiles: `rows` rows by `Vectors` vectors. The last rows are tiles of 4 rows and of 1 row.
template <int Vectors>
ADTR_INLINE void tile_column(Index rows, Tile t) {
  tiles_of<tile_rows(Vectors), Vectors>(rows, t);
  if constexpr (tile_rows(Vectors) > 4) tiles_of<4, Vectors>(rows, t);
  tiles_of<1, Vectors>(rows, t);
}

/// Returns the width of the next column of tiles when n columns are left.
ADTR_INLINE Index next_tile_columns(Index n) { return width == 1 || n > width ? tile_columns : width; }
ADTR_INLINE void tile_column(Index columns, Index rows, const Tile& t) {
  if (columns == tile_columns)
    tile_column<wide>(rows, t);
  else
    tile_column<1>(rows, t);
}

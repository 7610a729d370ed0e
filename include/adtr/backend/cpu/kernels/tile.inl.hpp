/// The register tile: rows × vectors of accumulators, one fused multiply-add per accumulator and k.
///
/// Every element of a product is the same chain acc = fma(a[k], b[k], acc), k ascending from 0, whichever tile shape
/// computes it and wherever the k range is cut. So results do not depend on how work is split or on the neighbours.

/// Vectors of a tile, and of one for the last columns: every further shape would have to be compiled by everyone who
/// includes this.
inline constexpr int wide = width == 1 ? 4 : 2;
inline constexpr Index tile_columns = wide * width;

/// Rows of a tile that is `vectors` wide: what fills the registers.
constexpr int tile_rows(int vectors) {
  if (width == 16) return 12;
  if (width == 8) return vectors == 2 ? 6 : 8;
  return 4;
}

/// What a tile is made from and where it goes. A is read at a[row·row_step + k·k_step].
struct Tile {
  const float* a;
  Index row_step, k_step;
  const float* b;  ///< row k of the panel at b + k·panel_columns
  Index panel;
  const float* ahead = nullptr;  ///< the b of the tiles after these: fetched a little with every second k
  Index ahead_step = 0;          ///< elements of a panel of it
  Index k;                       ///< how many
  const float* before;           ///< accumulators of earlier k, or null
  float* after;                  ///< where to put them for later k; null: finish
  Index partial_stride;
  Index n;  ///< columns to store
  float* c;
  Index c_stride;
  const float* bias;
  const float* residual;
  Index residual_stride;
  Clamp clamp;  ///< the activation's
};

/// Vector j of a row of the panels at b, of which there is one every panel_columns columns.
ADTR_INLINE const float* panel_vector(const float* b, Index panel, int j) {
  return b + (j * width / panel_columns) * panel + j * width % panel_columns;
}

/// acc += a[i]·b for one k: A's rows are `step` elements apart, three of them to each of the pointers in `a`.
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

/// Asks for the panels' cache lines at b.
template <int Vectors>
ADTR_INLINE void prefetch_panels(const float* b, Index panel) {
  ADTR_UNROLL for (int j = 0; j < Vectors; j += static_cast<int>(panel_columns) / width)
      __builtin_prefetch(panel_vector(b, panel, j), 0, 2);
}

/// All k. Compilers like to keep an offset for every row and k they unroll, and run out of registers; what they cannot
/// see through (`asm`) they address as written: a pointer for three rows and one stride.
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

/// activation(acc + bias + residual) into c; a curve is left to `finish_activation`: beside the accumulators it would
/// not find registers.
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

/// `count` tiles one below the other; `t` is moved on.
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
      // The result's lines come from far away: ask for them now, not when the sums are ready.
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

/// Tiles of `Rows` rows while that many are left; t and rows are moved on. Eight rows are left to two tiles of four,
/// which fill the multipliers; a tile of two would not.
template <int Rows, int Vectors>
ADTR_INLINE void tiles_of(Index& rows, Tile& t) {
  Index count = rows / Rows;
  if (Rows == 6 && rows % Rows == 2 && count > 0) --count;
  if (count > 0) tiles<Rows, Vectors>(t, count);
  rows -= count * Rows;
}

/// One column of tiles: `rows` rows by `Vectors` vectors. The last rows go in tiles of 4 and of 1.
template <int Vectors>
ADTR_INLINE void tile_column(Index rows, Tile t) {
  tiles_of<tile_rows(Vectors), Vectors>(rows, t);
  if constexpr (tile_rows(Vectors) > 4) tiles_of<4, Vectors>(rows, t);
  tiles_of<1, Vectors>(rows, t);
}

/// The same for the next of n columns; returns how many it took, at most.
ADTR_INLINE Index next_tile_columns(Index n) { return width == 1 || n > width ? tile_columns : width; }
ADTR_INLINE void tile_column(Index columns, Index rows, const Tile& t) {
  if (columns == tile_columns)
    tile_column<wide>(rows, t);
  else
    tile_column<1>(rows, t);
}

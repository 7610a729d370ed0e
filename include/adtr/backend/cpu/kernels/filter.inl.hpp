/// Depthwise convolution over a ring of input rows. The rows are copied from the map, or computed by the expansion of
/// MBConv, so that expansion and depthwise convolution are one pass. Expanded rows exist only in the second-level
/// cache, and only until the windows have passed them.

/// A ring of input rows. Each row has zeros on the left and on the right as far as windows reach, so that no window
/// needs a special case at the border.
struct Ring {
  float* data;
  Index rows;        ///< row y of the map lies in slot y mod rows
  Index row;         ///< elements between slots
  Index channels;    ///< channels of the block, a multiple of panel_columns
  Index pixel;       ///< elements between pixels
  Index left;        ///< pixels of zeros before the first column that was computed
  Index begin, end;  ///< columns of the map that are computed
};

/// One row of outputs.
struct FilterRow {
  const float* x[filter_kernel];  ///< rows of the ring under the first output's window, without those outside the map
  Index pixel;                    ///< elements between pixels
  const float* weight;  ///< weights of the first of these rows; each vector of channels has `taps` weights in a row
  Index rows, taps;
  const float* bias;
  Index outputs;
  float* y;
  Index y_stride;
  float* sums;  ///< sums over the row, or null
  Activation activation;
};

inline constexpr int filter_outputs = 8;  // of a register tile

/// Computes eight outputs of one row for `width` channels: bias + Σ over taps in the order (ky, kx).
template <int Kernel, int Stride>
ADTR_INLINE void filter_tile(const FilterRow& f, Index ox, Index c, Vec (&acc)[filter_outputs]) {
  constexpr int columns = (filter_outputs - 1) * Stride + Kernel;
  const Vec bias = load(f.bias + c);
  ADTR_UNROLL for (int o = 0; o < filter_outputs; ++o) acc[o] = bias;
  const float* w = f.weight + c * (Kernel * Kernel);
  for (Index ky = 0; ky < f.rows; ++ky, w += Kernel * width) {
    const float* x = f.x[ky] + ox * Stride * f.pixel + c;
    Vec wv[Kernel];
    ADTR_UNROLL for (int kx = 0; kx < Kernel; ++kx) wv[kx] = load(w + kx * width);
    ADTR_UNROLL for (int column = 0; column < columns; ++column) {
      const Vec xv = load(x);
      x += f.pixel;
      ADTR_UNROLL for (int o = 0; o < filter_outputs; ++o) {
        if (column >= o * Stride && column < o * Stride + Kernel)
          acc[o] = fma(xv, wv[column >= o * Stride && column < o * Stride + Kernel ? column - o * Stride : 0], acc[o]);
      }
    }
  }
}

/// The second pass over one vector of channels of a row. It applies the activation if that is a curve, and sums the
/// row.
template <class Functor>
[[gnu::noinline]] void finish_filter(Functor functor, const FilterRow& f, Index c, Index n) {
  float* y = f.y + c;
  Vec sum = zero();
  for (Index ox = 0; ox < f.outputs; ++ox, y += f.y_stride) {
    Vec v = load(y, n);
    if constexpr (functor.is_curve) {
      v = functor(v);
      store(y, v, n);
    }
    sum = sum + v;
  }
  if (f.sums != nullptr) store(f.sums + c, sum, n);
}
ADTR_INLINE void finish_filter(const FilterRow& f, Index c, Index n) {
  with_activation(f.activation, [&](auto functor) {
    if (functor.is_curve || f.sums != nullptr) finish_filter(functor, f, c, n);
  });
}

/// Computes one row of outputs for the first n channels.
template <int Kernel, int Stride>
[[gnu::noinline]] void filter_row(const FilterRow& given, Index n) {
  const FilterRow f = given;
  const Clamp clamp = clamp_of(f.activation);
  for (Index c = 0; c < n; c += width) {
    for (Index ox = 0; ox < f.outputs; ox += filter_outputs) {
      Vec acc[filter_outputs];
      filter_tile<Kernel, Stride>(f, ox, c, acc);
      float* y = f.y + ox * f.y_stride + c;
      if (ox + filter_outputs <= f.outputs && c + width <= n) {
        ADTR_UNROLL for (int o = 0; o < filter_outputs; ++o) store(y + o * f.y_stride, clamp(acc[o]));
      } else {
        ADTR_UNROLL for (int o = 0; o < filter_outputs; ++o) {
          if (ox + o < f.outputs) store(y + o * f.y_stride, clamp(acc[o]), n - c);
        }
      }
    }
    finish_filter(f, c, n - c);
  }
}

/// The same for a window of any size and stride.
[[gnu::noinline]] inline void filter_row_any(const FilterRow& f, const Window& window, Index n) {
  const Clamp clamp = clamp_of(f.activation);
  for (Index c = 0; c < n; c += width) {
    for (Index ox = 0; ox < f.outputs; ++ox) {
      Vec acc = load(f.bias + c);
      for (Index ky = 0; ky < f.rows; ++ky)
        for (Index kx = 0; kx < window.kernel; ++kx)
          acc = fma(load(f.x[ky] + (ox * window.stride + kx) * f.pixel + c),
                    load(f.weight + c * f.taps + (ky * window.kernel + kx) * width), acc);
      store(f.y + ox * f.y_stride + c, clamp(acc), n - c);
    }
    finish_filter(f, c, n - c);
  }
}

ADTR_INLINE float* ring_pixel(const Ring& ring, Index row, Index column) {
  return ring.data + row % ring.rows * ring.row + (column - ring.begin + ring.left) * ring.pixel;
}

/// Writes activation(sums + bias) to the ring, for `Vectors` vectors of channels from `channel` on. `sums` holds
/// `pixels` pixels: whole rows of the ring's columns, from `row` on.
template <int Vectors, class Functor>
[[gnu::noinline]] void place_expanded(Functor activation, const Ring& ring, Index row, Index pixels, const float* sums,
                                      const float* bias, Index channel) {
  const Index columns = ring.end - ring.begin;
  Vec bv[Vectors];
  ADTR_UNROLL for (int j = 0; j < Vectors; ++j) bv[j] = load(bias + j * width);
  for (Index first = 0; first < pixels; first += columns, ++row) {
    float* to = ring_pixel(ring, row, ring.begin) + channel;
    const float* from = sums + first * Vectors * width;
    for (Index i = 0; i < columns; ++i, to += ring.pixel, from += Vectors * width) {
      ADTR_UNROLL for (int j = 0; j < Vectors; ++j) {
        store(to + j * width, activation(load(from + j * width) + bv[j]));
      }
    }
  }
}

/// Expands one column of tiles of `Vectors` vectors: computes the sums over all k, then writes them to the ring.
template <int Vectors>
ADTR_INLINE void expand_column(const FilterTask& t, const Ring& ring, const float* bias, Index row, Index pixels,
                               Index column) {
  alignas(64) float sums[max_rows * Vectors * width];
  const Index pieces = larger(1, (t.inputs + k_block / 2) / k_block);
  const Index piece = pieces == 1 ? t.inputs : k_block;
  const float* a = t.x + (row * t.in_width + ring.begin) * t.x_stride;
  Tile part{};
  part.row_step = t.x_stride;
  part.k_step = 1;
  part.panel = t.inputs * panel_columns;
  part.partial_stride = Vectors * width;
  part.after = sums;
  const float* b = t.expand + (t.first_channel + column) / panel_columns * part.panel + column % panel_columns;
  for (Index i = 0; i < pieces; ++i) {
    const Index k = i * piece;
    part.a = a + k;
    part.b = b + k * panel_columns;
    part.k = i + 1 == pieces ? t.inputs - k : piece;
    part.before = i == 0 ? nullptr : sums;
    tile_column<Vectors>(pixels, part);
  }
  with_activation(t.activation, [&](auto functor) {
    place_expanded<Vectors>(functor, ring, row, pixels, sums, bias + column, column);
  });
}

/// Expands `rows` rows of the map, from `row` on, into the ring; rows·columns ≤ max_rows.
ADTR_INLINE void expand_rows(const FilterTask& t, const Ring& ring, const float* bias, Index row, Index rows) {
  const Index pixels = rows * (ring.end - ring.begin);
  Index column = 0;
  for (; column + tile_columns <= ring.channels; column += tile_columns)
    expand_column<wide>(t, ring, bias, row, pixels, column);
  // A block is a whole number of panels.
  if constexpr (tile_columns > panel_columns) {
    if (column < ring.channels) expand_column<1>(t, ring, bias, row, pixels, column);
  }
}

/// Writes the zeros on the left and on the right of the computed columns.
ADTR_INLINE void clear_margins(const Ring& ring) {
  const Index filled = ring.end - ring.begin, left = smaller(ring.left, ring.row / ring.pixel);
  for (Index r = 0; r < ring.rows; ++r) {
    float* row = ring.data + r * ring.row;
    const Index right = filled == 0 ? 0 : (left + filled) * ring.pixel;
    for (Index i = 0; i < left * ring.pixel; i += width) store(row + i, zero());
    for (Index i = right; i < ring.row; i += width) store(row + i, zero());
  }
}

/// Copies `rows` rows of the map into the ring.
ADTR_INLINE void copy_rows(const FilterTask& t, const Ring& ring, Index row, Index rows) {
  for (Index r = row; r < row + rows; ++r)
    for (Index i = ring.begin; i < ring.end; ++i) {
      const float* from = t.x + (r * t.in_width + i) * t.x_stride + t.first_channel;
      float* to = ring_pixel(ring, r, i);
      for (Index c = 0; c < ring.channels; c += width)
        store(to + c, load(from + c, t.last_channel - t.first_channel - c));
    }
}

/// Copies the block's part of a bias, with zeros beyond the last channel.
ADTR_INLINE void copy_bias(const float* from, Index n, Index padded, float* to) {
  for (Index c = 0; c < padded; c += width) store(to + c, load(from + c, n - c));
}
/// Packs the block's part of weights (taps, stride) as (padded / width, taps, width).
ADTR_INLINE void pack_taps(const float* from, Index stride, Index taps, Index n, Index padded, float* to) {
  for (Index c = 0; c < padded; c += width)
    for (Index t = 0; t < taps; ++t, to += width) store(to, load(from + t * stride + c, n - c));
}

ADTR_INLINE void filter_output_row(const FilterTask& t, const FilterRow& f, Index n) {
  const Index kind = t.window.kernel * 10 + t.window.stride;
  if constexpr (width == 1) {  // tiles of single elements are no faster
    filter_row_any(f, t.window, n);
  } else if (kind == 31) {
    filter_row<3, 1>(f, n);
  } else if (kind == 32) {
    filter_row<3, 2>(f, n);
  } else if (kind == 51) {
    filter_row<5, 1>(f, n);
  } else if (kind == 52) {
    filter_row<5, 2>(f, n);
  } else {
    filter_row_any(f, t.window, n);
  }
}

[[gnu::noinline]] inline void filter(const FilterTask& t, float* room) {
  constexpr Index weight_elements = filter_kernel * filter_kernel * filter_channels;
  static_assert(ring_elements <= kernel_room_elements);
  float* const memory = room;
  alignas(64) float weight[weight_elements], bias[filter_channels], expand_bias[filter_channels];
  const Index n = t.last_channel - t.first_channel, padded = round_up(n, panel_columns), k = t.window.kernel;
  pack_taps(t.weight + t.first_channel, t.channels, k * k, n, padded, weight);
  copy_bias(t.bias + t.first_channel, n, padded, bias);
  if (t.expand != nullptr) copy_bias(t.expand_bias + t.first_channel, n, padded, expand_bias);

  // The columns [from, to) of the map that the outputs depend on, and the number of pixels that windows and tiles read.
  const Index from = t.first_column * t.window.stride - t.window.left;
  const Index to = (t.last_column - 1) * t.window.stride - t.window.left + k;
  const Index seen = (round_up(t.last_column - t.first_column, filter_outputs) - 1) * t.window.stride + k;
  Ring ring{};
  ring.data = memory;
  ring.channels = padded;
  ring.pixel =
      padded |
      line_elements;  // an odd number of cache lines, so that the pixels of a row fall into different cache sets
  ring.begin = smaller(t.in_width, larger(0, from));
  ring.end = larger(ring.begin, smaller(t.in_width, to));
  ring.left = ring.begin - from;
  ring.row = larger(seen, ring.left + ring.end - ring.begin) * ring.pixel;
  ring.rows = smaller(t.in_height, ring_elements / ring.row);
  const Index columns = ring.end - ring.begin;
  const bool whole = columns == t.in_width;  // whether rows follow each other without gaps
  clear_margins(ring);

  const Index first = smaller(t.in_height, larger(0, t.first_row * t.window.stride - t.window.top));
  const Index end = larger(0, smaller(t.in_height, (t.last_row - 1) * t.window.stride - t.window.top + k));
  Index next = first;
  for (Index oy = t.first_row; oy < t.last_row; ++oy) {
    const Index top = oy * t.window.stride - t.window.top;
    const Index begin_row = larger(0, top), end_row = smaller(t.in_height, top + k);
    while (next < end_row && columns > 0) {
      const Index free_rows =
          ring.rows - (next - smaller(next, begin_row));  // without the rows that windows still need
      const Index fit = whole ? larger(1, max_rows / columns) : 1;
      const Index rows = smaller(smaller(fit, free_rows), end - next);
      if (t.expand == nullptr) {
        copy_rows(t, ring, next, rows);
      } else if (columns > max_rows) {
        Ring part = ring;  // the row is expanded in pieces
        for (Index c = ring.begin; c < ring.end; c += max_rows) {
          part.begin = c;
          part.end = smaller(ring.end, c + max_rows);
          part.left = ring.left + c - ring.begin;
          expand_rows(t, part, expand_bias, next, 1);
        }
      } else {
        expand_rows(t, ring, expand_bias, next, rows);
      }
      next += rows;
    }
    FilterRow f{};
    f.rows = larger(0, end_row - begin_row);
    for (Index r = 0; r < f.rows; ++r) f.x[r] = ring.data + (begin_row + r) % ring.rows * ring.row;
    f.pixel = ring.pixel;
    f.weight = weight + (begin_row - top) * k * width;
    f.taps = k * k;
    f.bias = bias;
    f.outputs = t.last_column - t.first_column;
    f.y = t.y + (oy * t.out_width + t.first_column) * t.y_stride + t.first_channel;
    f.y_stride = t.y_stride;
    f.sums = t.sums == nullptr ? nullptr : t.sums + oy * t.sums_stride + t.first_channel;
    f.activation = t.activation;
    filter_output_row(t, f, n);
  }
}

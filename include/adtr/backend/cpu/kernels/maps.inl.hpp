/// Operations of a backbone other than convolutions: pooling, resizing, column sums, small dense layers.

[[gnu::noinline]] inline void max_pool(const WindowTask& m) {
  for (Index row = m.begin; row < m.end; ++row) {
    const Index image = row / m.out_height, oy = row % m.out_height;
    for (Index ox = 0; ox < m.out_width; ++ox)
      for (Index c = 0; c < m.channels; c += width) {
        const Index n = smaller(width, m.channels - c);
        Vec maximum = set(-__builtin_inff());
        for (Index ky = 0; ky < m.window.kernel; ++ky)
          for (Index kx = 0; kx < m.window.kernel; ++kx) {
            const Index iy = oy * m.window.stride + ky - m.window.top, ix = ox * m.window.stride + kx - m.window.left;
            if (iy < 0 || iy >= m.height || ix < 0 || ix >= m.width) continue;
            maximum = max(maximum, load(m.x + ((image * m.height + iy) * m.width + ix) * m.x_stride + c, n));
          }
        store(m.y + (row * m.out_width + ox) * m.y_stride + c, maximum, n);
      }
  }
}

[[gnu::noinline]] inline void blend(const Blend& b, float* y, Index channels) {
  const Vec x1 = set(b.x), x0 = set(1.0F - b.x), y1 = set(b.y), y0 = set(1.0F - b.y);
  for (Index c = 0; c < channels; c += width) {
    const Index n = channels - c;
    const Vec above = fma(load(b.corner[1] + c, n), x1, load(b.corner[0] + c, n) * x0);
    const Vec below = fma(load(b.corner[3] + c, n), x1, load(b.corner[2] + c, n) * x0);
    store(y + c, fma(below, y1, above * y0), n);
  }
}

/// Averages `Vectors` vectors of channels, n of whose elements exist: first along each row, then over the rows.
template <int Vectors>
ADTR_INLINE void average(const AreaTask& t, const float* x, float* y, Index n) {
  const Vec head = set(t.across.head), inner = set(t.across.inner), tail = set(t.across.tail);
  Vec total[Vectors];
  ADTR_UNROLL for (int j = 0; j < Vectors; ++j) total[j] = zero();
  for (Index ky = 0; ky < t.down.count; ++ky, x += t.row_stride) {
    Vec line[Vectors];
    ADTR_UNROLL for (int j = 0; j < Vectors; ++j) line[j] = load(x + j * width, n - j * width) * head;
    const float* pixel = x;
    for (Index kx = 1; kx < t.across.count; ++kx) {
      const Vec weight = kx + 1 < t.across.count ? inner : tail;
      pixel += t.x_stride;
      ADTR_UNROLL for (int j = 0; j < Vectors; ++j) {
        line[j] = fma(load(pixel + j * width, n - j * width), weight, line[j]);
      }
    }
    const Vec weight = set(ky == 0 ? t.down.head : ky + 1 < t.down.count ? t.down.inner : t.down.tail);
    ADTR_UNROLL for (int j = 0; j < Vectors; ++j) total[j] = fma(line[j], weight, total[j]);
  }
  ADTR_UNROLL for (int j = 0; j < Vectors; ++j) store(y + j * width, total[j], n - j * width);
}

[[gnu::noinline]] inline void area(const AreaTask& t) {
  Index c = 0;
  for (; c + 2 * width <= t.channels; c += 2 * width) average<2>(t, t.x + c, t.y + c, 2 * width);
  for (; c < t.channels; c += width) average<1>(t, t.x + c, t.y + c, t.channels - c);
}

/// Sums `Vectors` vectors of columns. Rows are summed in blocks, so that rounding errors grow with the number of blocks
/// instead of the number of rows.
template <int Vectors>
ADTR_INLINE void sum_columns(const float* a, Index stride, Index rows, Index n, float factor, bool add, float* sums) {
  Vec total[Vectors];
  ADTR_UNROLL for (int j = 0; j < Vectors; ++j) total[j] = zero();
  for (Index r = 0; r < rows; r += sum_block) {
    const Index last = smaller(rows, r + sum_block);
    Vec sum_of[Vectors];
    ADTR_UNROLL for (int j = 0; j < Vectors; ++j) sum_of[j] = zero();
    for (Index i = r; i < last; ++i) {
      const float* row = a + i * stride;
      ADTR_UNROLL for (int j = 0; j < Vectors; ++j) { sum_of[j] = sum_of[j] + load(row + j * width, n - j * width); }
    }
    ADTR_UNROLL for (int j = 0; j < Vectors; ++j) total[j] = total[j] + sum_of[j];
  }
  ADTR_UNROLL for (int j = 0; j < Vectors; ++j) {
    const Index left = n - j * width;
    Vec result = total[j] * set(factor);
    if (add) result = result + load(sums + j * width, left);
    store(sums + j * width, result, left);
  }
}

[[gnu::noinline]] inline void column_sums(const float* a, Index stride, Index rows, Index columns, float factor,
                                          bool add, float* sums) {
  Index c = 0;
  for (; c + 4 * width <= columns; c += 4 * width)
    sum_columns<4>(a + c, stride, rows, 4 * width, factor, add, sums + c);
  for (; c < columns; c += width) sum_columns<1>(a + c, stride, rows, columns - c, factor, add, sums + c);
}

[[gnu::noinline]] inline void dense(const float* w, const float* bias, const float* x, Index rows, Index columns,
                                    Activation activation, float* y) {
  for (Index r = 0; r < rows; ++r) {
    const float* row = w + r * columns;
    Vec s[4] = {zero(), zero(), zero(), zero()};
    Index c = 0;
    for (; c + 4 * width <= columns; c += 4 * width) {
      ADTR_UNROLL for (int j = 0; j < 4; ++j) s[j] = fma(load(row + c + j * width), load(x + c + j * width), s[j]);
    }
    for (; c < columns; c += width) s[0] = fma(load(row + c, columns - c), load(x + c, columns - c), s[0]);
    const Vec x_r = set(bias[r] + sum((s[0] + s[1]) + (s[2] + s[3])));
    with_activation(activation, [&](auto functor) { y[r] = largest(functor(x_r)); });
  }
}

[[gnu::noinline]] inline void sigmoid(float* x, Index n) {
  for (Index i = 0; i < n; i += width) store(x + i, logistic(load(x + i, n - i)), n - i);
}

[[gnu::noinline]] inline void scale_rows(float* x, Index stride, Index rows, Index columns, const float* factors) {
  for (Index r = 0; r < rows; ++r, x += stride)
    for (Index c = 0; c < columns; c += width) {
      const Index n = columns - c;
      store(x + c, load(x + c, n) * load(factors + c, n), n);
    }
}

[[gnu::noinline]] inline void scale_panels(const float* b, Index panels, Index inputs, const float* factors,
                                           float* scaled) {
  for (Index p = 0; p < panels; ++p)
    for (Index k = 0; k < inputs; ++k, b += panel_columns, scaled += panel_columns) {
      const Vec factor = set(factors[k]);
      ADTR_UNROLL for (int j = 0; j < panel_columns; j += width) store(scaled + j, load(b + j) * factor);
    }
}

[[gnu::noinline]] inline void standardise(float* x, Index stride, Index rows, Index columns, const float* mean,
                                          const float* inverse_std) {
  for (Index r = 0; r < rows; ++r, x += stride)
    for (Index c = 0; c < columns; c += width) {
      const Index n = columns - c;
      store(x + c, (load(x + c, n) - load(mean + c, n)) * load(inverse_std + c, n), n);
    }
}

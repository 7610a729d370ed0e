/// Dense convolution as a matrix product. Patches of some pixels are gathered piece by piece.

inline constexpr Index convolve_pixels = 48;
inline constexpr Index convolve_columns = 512;

/// Copies n elements, or writes n zeros if `from` is null.
ADTR_INLINE void copy_or_clear(const float* from, Index n, float* to) {
  Index i = 0;
  for (; i + width <= n; i += width) store(to + i, from == nullptr ? zero() : load(from + i));
  for (; i < n; ++i)
    to[i] = from == nullptr ? 0.0F : from[i];  // a loop, because few are left and masked stores are slow
}

/// Copies the elements [first, first + count) of the patch of a pixel. Elements are in (ky, kx, channel) order.
ADTR_INLINE void gather(const WindowTask& m, Index pixel, Index first, Index count, float* to) {
  const Index ox = pixel % m.out_width, row = pixel / m.out_width;
  const Index oy = row % m.out_height, image = row / m.out_height;
  const Index tap = first == 0 ? 0 : first / m.channels;
  Index channel = first - tap * m.channels, ky = first == 0 ? 0 : tap / m.window.kernel;
  Index kx = tap - ky * m.window.kernel;
  while (count > 0) {
    const Index iy = oy * m.window.stride + ky - m.window.top, ix = ox * m.window.stride + kx - m.window.left;
    const bool outside = iy < 0 || iy >= m.height || ix < 0 || ix >= m.width;
    // Taps of a row are neighbours in memory if pixels are. They are copied together, which is faster for few channels.
    const Index taps = outside || m.x_stride != m.channels ? 1 : smaller(m.window.kernel - kx, m.width - ix);
    const Index n = smaller(count, taps * m.channels - channel);
    copy_or_clear(outside ? nullptr : m.x + ((image * m.height + iy) * m.width + ix) * m.x_stride + channel, n, to);
    to += n;
    count -= n;
    channel = 0;
    kx += taps;
    if (kx == m.window.kernel) {
      kx = 0;
      ++ky;
    }
  }
}

[[gnu::noinline]] inline void convolve(const ConvolveTask& task, float* room) {
  static_assert(convolve_pixels * (k_block + convolve_columns + tile_columns) <= kernel_room_elements);
  float* const patches = room;
  float* const partial = patches + convolve_pixels * k_block;
  const WindowTask& m = task.maps;
  const GemmTask& p = task.gemm;
  const Clamp clamp = clamp_of(p.activation);
  for (Index pixel = m.begin; pixel < m.end; pixel += convolve_pixels) {
    const Index pixels = smaller(convolve_pixels, m.end - pixel);
    for (Index first = 0; first < p.end; first += convolve_columns) {
      const Index last = smaller(p.end, first + convolve_columns);
      for (Index k = 0; k < p.inputs; k += k_block) {
        const Index count = smaller(k_block, p.inputs - k);
        for (Index i = 0; i < pixels; ++i) gather(m, pixel + i, k, count, patches + i * count);
        float* sums = partial;
        for (Index column = first; column < last;) {
          const Index columns = next_tile_columns(last - column);
          Tile t{};
          t.a = patches;
          t.row_step = count;
          t.k_step = 1;
          t.b = p.b + column / panel_columns * p.panel + column % panel_columns + k * panel_columns;
          t.panel = p.panel;
          t.k = count;
          t.partial_stride = columns;
          t.before = k == 0 ? nullptr : sums;
          t.after = k + count == p.inputs ? nullptr : sums;
          t.n = last - column;
          t.c = m.y + pixel * m.y_stride + column;
          t.c_stride = m.y_stride;
          t.bias = p.bias == nullptr ? nullptr : p.bias + column;
          t.residual = p.residual == nullptr ? nullptr : p.residual + pixel * p.residual_stride + column;
          t.residual_stride = p.residual_stride;
          t.clamp = clamp;
          tile_column(columns, pixels, t);
          if (t.after == nullptr)
            finish_activation(p.activation, t.c, t.c_stride, pixels, smaller(t.partial_stride, t.n));
          sums += pixels * t.partial_stride;
          column += columns;
        }
      }
    }
  }
}

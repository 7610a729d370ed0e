/// Depthwise convolution: a vector of channels for several neighbouring outputs at once, so that an input column is
/// loaded once for all outputs it belongs to. Taps outside the map are left out; the order of the others is (ky, kx).

/// What a tile of outputs of one row needs to know.
struct DepthwiseRow {
  const float* x;  ///< input row of ky = 0 (perhaps outside the map), pixel 0
  Index row;       ///< elements from row to row
  Index x_stride;
  Index width;             ///< of the input
  Index ky_begin, ky_end;  ///< rows of the window inside the map
  float* y;                ///< output row
  Index y_stride;
  const float* weight;
  Index channels;
  const float* bias;
  Index left;
  float low, high;
  bool smooth;
};

/// Outputs [ox, ox + Outputs) of a row, n channels from `channel` on.
template <int Kernel, int Stride, int Outputs, bool Border, bool Whole>
ADTR_INLINE void depthwise_vector(const DepthwiseRow& d, Index ox, Index channel, Index n) {
  constexpr int columns = (Outputs - 1) * Stride + Kernel;
  const Vec bias = Whole ? load(d.bias + channel) : load(d.bias + channel, n);
  Vec acc[Outputs];
  ADTR_UNROLL for (int o = 0; o < Outputs; ++o) acc[o] = bias;
  const Index first = ox * Stride - d.left;
  for (Index ky = d.ky_begin; ky < d.ky_end; ++ky) {
    const float* x = d.x + ky * d.row + first * d.x_stride + channel;
    const float* w = d.weight + ky * Kernel * d.channels + channel;
    Vec wv[Kernel];
    ADTR_UNROLL for (int kx = 0; kx < Kernel; ++kx) {
      wv[kx] = Whole ? load(w + kx * d.channels) : load(w + kx * d.channels, n);
    }
    ADTR_UNROLL for (int column = 0; column < columns; ++column) {
      if (Border && (first + column < 0 || first + column >= d.width)) continue;
      const float* at = x + column * d.x_stride;
      const Vec xv = Whole ? load(at) : load(at, n);
      ADTR_UNROLL for (int o = 0; o < Outputs; ++o) {
        if (column >= o * Stride && column < o * Stride + Kernel)
          acc[o] = fma(xv, wv[column >= o * Stride && column < o * Stride + Kernel ? column - o * Stride : 0], acc[o]);
      }
    }
  }
  const Vec low = set(d.low), high_bound = set(d.high);
  ADTR_UNROLL for (int o = 0; o < Outputs; ++o) {
    const Vec sum = clamp(acc[o], low, high_bound);
    float* y = d.y + (ox + o) * d.y_stride + channel;
    if (Whole)
      store(y, sum);
    else
      store(y, sum, n);
  }
}

template <int Kernel, int Stride, int Outputs, bool Border>
[[gnu::noinline]] void depthwise_tile(const DepthwiseRow& given, Index ox) {
  const DepthwiseRow d = given;
  Index c = 0;
  for (; c + width <= d.channels; c += width) depthwise_vector<Kernel, Stride, Outputs, Border, true>(d, ox, c, width);
  if (c < d.channels) depthwise_vector<Kernel, Stride, Outputs, Border, false>(d, ox, c, d.channels - c);
  if (d.smooth) finish_silu(d.y + ox * d.y_stride, d.y_stride, Outputs, d.channels);
}

/// Tiles of `Outputs` while they fit into the row and into the map.
template <int Kernel, int Stride, int Outputs>
ADTR_INLINE Index depthwise_tiles(const DepthwiseRow& d, Index ox, Index out_width) {
  constexpr Index columns = (Outputs - 1) * Stride + Kernel;
  for (; ox + Outputs <= out_width && ox * Stride - d.left + columns <= d.width; ox += Outputs)
    depthwise_tile<Kernel, Stride, Outputs, false>(d, ox);
  return ox;
}

/// One row of a window of any size and stride.
[[gnu::noinline]] inline void depthwise_any(const DepthwiseRow& d, const Window& window, Index out_width) {
  for (Index ox = 0; ox < out_width; ++ox)
    for (Index c = 0; c < d.channels; c += width) {
      const Index n = smaller(width, d.channels - c);
      const Index first = ox * window.stride - d.left;
      Vec acc = load(d.bias + c, n);
      for (Index ky = d.ky_begin; ky < d.ky_end; ++ky)
        for (Index kx = 0; kx < window.kernel; ++kx) {
          if (first + kx < 0 || first + kx >= d.width) continue;
          acc = fma(load(d.x + ky * d.row + (first + kx) * d.x_stride + c, n),
                    load(d.weight + (ky * window.kernel + kx) * d.channels + c, n), acc);
        }
      const Vec sum = d.smooth ? silu(acc) : clamp(acc, set(d.low), set(d.high));
      store(d.y + ox * d.y_stride + c, sum, n);
    }
}

/// Outputs whose window reaches beyond the map, and those left over, go one at a time: fewer tiles to compile.
template <int Kernel, int Stride>
ADTR_INLINE void depthwise_row(const DepthwiseRow& d, Index out_width) {
  Index ox = 0;
  if constexpr (width > 1) {
    for (; ox < out_width && ox * Stride < d.left; ++ox) depthwise_tile<Kernel, Stride, 1, true>(d, ox);
    ox = depthwise_tiles<Kernel, Stride, 8>(d, ox, out_width);
    ox = depthwise_tiles<Kernel, Stride, 4>(d, ox, out_width);
  }
  for (; ox < out_width; ++ox) depthwise_tile<Kernel, Stride, 1, true>(d, ox);
}

[[gnu::noinline]] inline void depthwise(const DepthwiseTask& task) {
  const WindowTask& m = task.maps;
  for (Index row = m.begin; row < m.end; ++row) {
    const Index image = row / m.out_height, oy = row % m.out_height;
    const Index top = oy * m.window.stride - m.window.top;
    DepthwiseRow d{};
    d.row = m.width * m.x_stride;
    d.x = m.x + (image * m.height + top) * d.row;
    d.x_stride = m.x_stride;
    d.width = m.width;
    d.ky_begin = larger(0, -top);
    d.ky_end = smaller(m.window.kernel, m.height - top);
    d.y = m.y + row * m.out_width * m.y_stride;
    d.y_stride = m.y_stride;
    d.weight = task.weight;
    d.channels = m.channels;
    d.bias = task.bias;
    d.left = m.window.left;
    d.low = lower_bound(task.activation);
    d.high = upper_bound(task.activation);
    d.smooth = task.activation == Activation::silu;
    const Index kind = m.window.kernel * 10 + m.window.stride;
    if (kind == 31)
      depthwise_row<3, 1>(d, m.out_width);
    else if (kind == 32)
      depthwise_row<3, 2>(d, m.out_width);
    else if (kind == 51)
      depthwise_row<5, 1>(d, m.out_width);
    else if (kind == 52)
      depthwise_row<5, 2>(d, m.out_width);
    else
      depthwise_any(d, m.window, m.out_width);
  }
}

/// Dropout.

[[gnu::noinline]] inline void dropout(const float* x, Index n, const DropoutStream& d, std::uint64_t first,
                                      const float* residual, float* y) {
  alignas(64) std::uint16_t bits[random_capacity];
  const Vec scale = set(d.scale);
  for (Index i = 0; i < n; i += max_random) {
    const Index count = smaller(max_random, n - i);
    const std::uint16_t* b = random_row(d, first + static_cast<std::uint64_t>(i), count, bits);
    for (Index j = 0; j < count; j += width) {
      const Index left = count - j, at = i + j;
      Vec v = keep(b + j, d.threshold, load(x + at, left)) * scale;
      if (residual != nullptr) v = v + load(residual + at, left);
      store(y + at, v, left);
    }
  }
}

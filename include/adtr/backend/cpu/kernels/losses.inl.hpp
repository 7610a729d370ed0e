/// Distances between rows and their gradients.

[[gnu::noinline]] inline double squared_distance(const float* f, const float* g, Index n) {
  double total = 0.0;
  for (Index b = 0; b < n; b += double_block) {
    Vec s0 = zero(), s1 = zero();
    const Index end = smaller(n, b + double_block);
    for (Index i = b; i < end; i += 2 * width) {
      const Vec d0 = load(g + i, end - i) - load(f + i, end - i);
      s0 = fma(d0, d0, s0);
      const Vec d1 = load(g + i + width, end - i - width) - load(f + i + width, end - i - width);
      s1 = fma(d1, d1, s1);
    }
    total += static_cast<double>(sum(s0 + s1));
  }
  return total;
}

/// ‖f − ρ·g‖² / (2·‖f‖²) with ρ = ‖f‖/‖g‖, which equals 1 − f·g / (‖f‖·‖g‖) but has no cancellation where the rows are
/// nearly parallel.
[[gnu::noinline]] inline double cosine_distance(const float* f, const float* g, Index n) {
  const double ff = squared_norm(f, n), gg = squared_norm(g, n);
  if (ff == 0.0 || gg == 0.0) return ff == gg ? 0.0 : 1.0;
  const Vec minus_ratio = set(static_cast<float>(-__builtin_sqrt(ff / gg)));
  double total = 0.0;
  for (Index b = 0; b < n; b += double_block) {
    Vec s0 = zero(), s1 = zero();
    const Index end = smaller(n, b + double_block);
    for (Index i = b; i < end; i += 2 * width) {
      const Vec d0 = fma(minus_ratio, load(g + i, end - i), load(f + i, end - i));
      s0 = fma(d0, d0, s0);
      const Vec d1 = fma(minus_ratio, load(g + i + width, end - i - width), load(f + i + width, end - i - width));
      s1 = fma(d1, d1, s1);
    }
    total += static_cast<double>(sum(s0 + s1));
  }
  return 0.5 * total / ff;
}

[[gnu::noinline]] inline double norm_gradient(const float* f, const float* g, Index n, float scale, float* dg) {
  double total = 0.0;
  for (Index b = 0; b < n; b += double_block) {
    Vec s = zero();
    const Index end = smaller(n, b + double_block);
    for (Index i = b; i < end; i += width) {
      const Vec d = load(g + i, end - i) - load(f + i, end - i);
      s = fma(d, d, s);
      store(dg + i, d * set(scale), end - i);
    }
    total += static_cast<double>(sum(s));
  }
  return total;
}

[[gnu::noinline]] inline double distance(const float* f, const float* g, Index n) {
  double total = 0.0;
  for (Index b = 0; b < n; b += double_block) {
    Vec s = zero();
    const Index end = smaller(n, b + double_block);
    for (Index i = b; i < end; i += width) {
      const Vec d = load(g + i, end - i) - load(f + i, end - i);
      s = s + max(d, zero() - d);
    }
    total += static_cast<double>(sum(s));
  }
  return total;
}

[[gnu::noinline]] inline void sign_gradient(const float* f, const float* g, Index n, float weight, float* dg) {
  const Vec w = set(weight);
  for (Index i = 0; i < n; i += width) {
    const Vec d = load(g + i, n - i) - load(f + i, n - i);
    store(dg + i, where_positive(d, w) - where_positive(zero() - d, w), n - i);
  }
}

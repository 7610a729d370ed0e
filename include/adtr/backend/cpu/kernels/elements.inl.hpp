/// Element by element: sums, the gradient of ReLU, distances, the optimiser.

[[gnu::noinline]] inline void add(const float* a, const float* b, Index n, float* y) {
  for (Index i = 0; i < n; i += width) store(y + i, load(a + i, n - i) + load(b + i, n - i), n - i);
}

[[gnu::noinline]] inline void relu_backward(const float* h, Index n, float scale, float* dh) {
  const Vec factor = set(scale);
  for (Index i = 0; i < n; i += width)
    store(dh + i, where_positive(load(h + i, n - i), load(dh + i, n - i) * factor), n - i);
}

/// Σ of products of differences: in floats over short blocks, in doubles beyond.
inline constexpr Index distance_block = 512;

[[gnu::noinline]] inline double squared_distance(const float* f, const float* g, Index n) {
  double total = 0.0;
  for (Index b = 0; b < n; b += distance_block) {
    Vec s0 = zero(), s1 = zero();
    const Index end = smaller(n, b + distance_block);
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

[[gnu::noinline]] inline double squared_norm(const float* x, Index n) {
  double total = 0.0;
  for (Index b = 0; b < n; b += distance_block) {
    Vec s0 = zero(), s1 = zero();
    const Index end = smaller(n, b + distance_block);
    for (Index i = b; i < end; i += 2 * width) {
      const Vec x0 = load(x + i, end - i);
      s0 = fma(x0, x0, s0);
      const Vec x1 = load(x + i + width, end - i - width);
      s1 = fma(x1, x1, s1);
    }
    total += static_cast<double>(sum(s0 + s1));
  }
  return total;
}

[[gnu::noinline]] inline double norm_gradient(const float* f, const float* g, Index n, float scale, float* dg) {
  double total = 0.0;
  for (Index b = 0; b < n; b += distance_block) {
    Vec s = zero();
    const Index end = smaller(n, b + distance_block);
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
  for (Index b = 0; b < n; b += distance_block) {
    Vec s = zero();
    const Index end = smaller(n, b + distance_block);
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

ADTR_INLINE void adamw_vector(const AdamWFactors& a, float scale, Index n, float* p, const float* g, float* m,
                              float* v) {
  const Vec gradient = load(g, n) * set(scale);
  const Vec first = fma(set(a.rest1), gradient, set(a.beta1) * load(m, n));
  const Vec second = fma(set(a.rest2) * gradient, gradient, set(a.beta2) * load(v, n));
  store(m, first, n);
  store(v, second, n);
  const Vec denominator = fma(square_root(second), set(a.inverse_correction), set(a.epsilon));
  store(p, load(p, n) * set(a.decay) - set(a.rate) * first / denominator, n);
}

[[gnu::noinline]] inline void adamw(const AdamWFactors& a, float scale, Index n, float* p, const float* g, float* m,
                                    float* v) {
  for (Index i = 0; i < n; i += width) adamw_vector(a, scale, n - i, p + i, g + i, m + i, v + i);
}

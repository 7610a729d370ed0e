/// The optimiser: the norm of the gradient, and AdamW.

[[gnu::noinline]] inline double squared_norm(const float* x, Index n) {
  double total = 0.0;
  for (Index b = 0; b < n; b += double_block) {
    Vec s0 = zero(), s1 = zero();
    const Index end = smaller(n, b + double_block);
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

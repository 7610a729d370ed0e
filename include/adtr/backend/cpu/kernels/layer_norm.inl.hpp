/// Layer norm and its gradient.

[[gnu::noinline]] inline void layer_norm(const float* x, Index columns, const float* gamma, const float* beta,
                                         float eps, float* y, float* statistics) {
  const float count = static_cast<float>(columns);
  const Index whole = columns / (2 * width) * (2 * width);
  Vec s0 = zero(), s1 = zero();
  for (Index c = 0; c < whole; c += 2 * width) {
    s0 = s0 + load(x + c);
    s1 = s1 + load(x + c + width);
  }
  for (Index c = whole; c < columns; c += width) s0 = s0 + load(x + c, columns - c);
  const float mean = sum(s0 + s1) / count;
  const Vec m = set(mean);
  s0 = s1 = zero();
  for (Index c = 0; c < whole; c += 2 * width) {
    const Vec d0 = load(x + c) - m, d1 = load(x + c + width) - m;
    s0 = fma(d0, d0, s0);
    s1 = fma(d1, d1, s1);
  }
  float rest = 0.0F;
  for (Index c = whole; c < columns; ++c) rest += (x[c] - mean) * (x[c] - mean);
  const float variance = (sum(s0 + s1) + rest) / count;
  const float inverse = 1.0F / __builtin_sqrtf(variance + eps);
  const Vec inv = set(inverse);
  for (Index c = 0; c < columns; c += width) {
    const Index n = columns - c;
    store(y + c, fma((load(x + c, n) - m) * inv, load(gamma + c, n), load(beta + c, n)), n);
  }
  if (statistics != nullptr) {
    statistics[0] = mean;
    statistics[1] = inverse;
  }
}

[[gnu::noinline]] inline void layer_norm_dx(const float* x, Index columns, const float* gamma, const float* statistics,
                                            const float* dy, float* dx) {
  const Vec mean = set(statistics[0]), inverse = set(statistics[1]);
  Vec sum_e = zero(), sum_ex = zero();
  for (Index c = 0; c < columns; c += width) {
    const Index n = columns - c;
    const Vec e = load(dy + c, n) * load(gamma + c, n);
    sum_e = sum_e + e;
    sum_ex = fma(e, (load(x + c, n) - mean) * inverse, sum_ex);  // beyond the last column e is 0
  }
  const float count = static_cast<float>(columns);
  const Vec mean_e = set(sum(sum_e) / count), mean_ex = set(sum(sum_ex) / count);
  for (Index c = 0; c < columns; c += width) {
    const Index n = columns - c;
    const Vec e = load(dy + c, n) * load(gamma + c, n);
    const Vec normal = (load(x + c, n) - mean) * inverse;
    store(dx + c, ((e - mean_e) - normal * mean_ex) * inverse, n);
  }
}

[[gnu::noinline]] inline void layer_norm_parameters(const float* x, Index x_stride, const float* statistics,
                                                    const float* dy, Index dy_stride, Index rows, Index columns,
                                                    float* dgamma, float* dbeta) {
  for (Index c = 0; c < columns; c += width) {
    const Index n = columns - c;
    Vec gamma_total = zero(), beta_total = zero();
    for (Index r = 0; r < rows; r += sum_block) {
      Vec gamma_sum = zero(), beta_sum = zero();
      for (Index i = r; i < smaller(rows, r + sum_block); ++i) {
        const Vec g = load(dy + i * dy_stride + c, n);
        const Vec normal = (load(x + i * x_stride + c, n) - set(statistics[2 * i])) * set(statistics[2 * i + 1]);
        gamma_sum = fma(g, normal, gamma_sum);
        beta_sum = beta_sum + g;
      }
      gamma_total = gamma_total + gamma_sum;
      beta_total = beta_total + beta_sum;
    }
    store(dgamma + c, load(dgamma + c, n) + gamma_total, n);
    store(dbeta + c, load(dbeta + c, n) + beta_total, n);
  }
}

/// Sums of elements, and the gradient of ReLU.

[[gnu::noinline]] inline void add(const float* a, const float* b, Index n, float* y) {
  for (Index i = 0; i < n; i += width) store(y + i, load(a + i, n - i) + load(b + i, n - i), n - i);
}

[[gnu::noinline]] inline void relu_backward(const float* h, Index n, float scale, float* dh) {
  const Vec factor = set(scale);
  for (Index i = 0; i < n; i += width)
    store(dh + i, where_positive(load(h + i, n - i), load(dh + i, n - i) * factor), n - i);
}

/// The activations, each a functor. To add one, add a functor and its case in `with_activation`, both in this file.
///
/// An activation is either a clamp or a curve. A clamp is applied while the sums are still in registers. A curve needs
/// registers of its own, so it is applied in a second pass over what the first one stored.

/// Bounds on the result. NaN stays NaN.
struct Clamp {
  float low = -__builtin_inff(), high = __builtin_inff();
  static constexpr bool is_curve = false;
  ADTR_INLINE Vec operator()(Vec x) const { return min(set(high), max(set(low), x)); }
};

/// x / (1 + e⁻ˣ). Below −87.3, where the result is nearly 0, it is the value at −87.3.
struct Silu {
  static constexpr bool is_curve = true;
  ADTR_INLINE Vec operator()(Vec x) const {
    x = max(set(-87.3F), x);
    return x / (set(1.0F) + power(x, -log2_e));
  }
};

/// Calls fn with the functor of the activation.
template <class Fn>
ADTR_INLINE void with_activation(Activation activation, const Fn& fn) {
  switch (activation) {
    case Activation::none:
      return fn(Clamp{});
    case Activation::relu:
      return fn(Clamp{.low = 0.0F});
    case Activation::relu6:
      return fn(Clamp{.low = 0.0F, .high = 6.0F});
    case Activation::silu:
      return fn(Silu{});
  }
}

/// Returns what the first pass applies: the activation if it is a clamp, otherwise a clamp without bounds.
ADTR_INLINE Clamp clamp_of(Activation activation) {
  Clamp clamp;
  with_activation(activation, [&](auto functor) {
    if constexpr (!functor.is_curve) clamp = functor;
  });
  return clamp;
}

/// Applies a curve to a matrix (rows, n).
template <class Curve>
[[gnu::noinline]] void apply_curve(Curve curve, float* c, Index stride, Index rows, Index n) {
  for (Index i = 0; i < rows; ++i, c += stride)
    for (Index j = 0; j < n; j += width) store(c + j, curve(load(c + j, n - j)), n - j);
}
/// The second pass over a matrix (rows, n): applies the activation if it is a curve.
ADTR_INLINE void finish_activation(Activation activation, float* c, Index stride, Index rows, Index n) {
  with_activation(activation, [&](auto functor) {
    if constexpr (functor.is_curve) apply_curve(functor, c, stride, rows, n);
  });
}

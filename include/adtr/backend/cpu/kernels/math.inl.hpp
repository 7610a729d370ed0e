/// exp, sigmoid, activations.

inline constexpr float log2_e = 1.44269504088896341F;

/// 2^(x·factor), factor = ±log₂e, that is e^±x, by a polynomial of degree 6 for 2^f, |f| ≤ 1/2. The relative error is
/// at most 1.2e-7 + 1.5e-8·|x|, less than what rounding x to a float does. |x| beyond 87.3 counts as 87.3; NaN stays
/// NaN.
ADTR_INLINE Vec power(Vec x, float factor) {
  x = min(set(87.3F), max(set(-87.3F), x));
  const Vec magic = set(12582912.0F);  // 1.5·2²³: adding it rounds to an integer in the low bits
  const Vec shifted = fma(x, set(factor), magic);
  const Vec f = fma(x, set(factor), magic - shifted);
  Vec p = fma(set(1.5403530e-4F), f, set(1.3333558e-3F));
  p = fma(p, f, set(9.6181291e-3F));
  p = fma(p, f, set(5.5504109e-2F));
  p = fma(p, f, set(2.4022651e-1F));
  p = fma(p, f, set(6.9314718e-1F));
  p = fma(p, f, set(1.0F));
  return scale_exponent(p, shifted);
}

ADTR_INLINE Vec exponential(Vec x) { return power(x, log2_e); }
/// 1 / (1 + e⁻ˣ)
ADTR_INLINE Vec logistic(Vec x) { return set(1.0F) / (set(1.0F) + power(x, -log2_e)); }
ADTR_INLINE Vec silu(Vec x) { return x / (set(1.0F) + power(x, -log2_e)); }

/// none, relu and relu6 as bounds on the result.
ADTR_INLINE float lower_bound(Activation a) {
  return a == Activation::relu || a == Activation::relu6 ? 0.0F : -__builtin_inff();
}
ADTR_INLINE float upper_bound(Activation a) { return a == Activation::relu6 ? 6.0F : __builtin_inff(); }
ADTR_INLINE Vec clamp(Vec x, Vec low, Vec high) { return min(high, max(low, x)); }

/// Long sums are cut into blocks of this many terms, so that rounding errors grow with the blocks, not the terms.
inline constexpr Index sum_block = 128;

/// Asks for a cache line that is needed some microseconds from now.
ADTR_INLINE void prefetch(const float* p) { __builtin_prefetch(p, 0, 2); }

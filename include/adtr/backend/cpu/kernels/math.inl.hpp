/// exp, sigmoid, activations.

inline constexpr float log2_e = 1.44269504088896341F;

/// Adding it rounds to an integer in the low bits: 1.5·2²³.
inline constexpr float to_integer = 12582912.0F;

/// 2^(f + n), |f| ≤ 1/2, n in the low bits of `shifted`: a polynomial of degree 5 for 2^f, off by 1e-7 at most.
ADTR_INLINE Vec power_of_two(Vec f, Vec shifted) {
  Vec p = fma(set(1.32647273e-3F), f, set(9.67151299e-3F));
  p = fma(p, f, set(5.55073358e-2F));
  p = fma(p, f, set(2.40222424e-1F));
  p = fma(p, f, set(6.93147004e-1F));
  p = fma(p, f, set(1.0F));
  return scale_exponent(p, shifted);
}
/// 2^z for z < 128, where −126 stands for less. NaN stays NaN.
ADTR_INLINE Vec power_of_two(Vec z) {
  z = max(set(-126.0F), z);
  const Vec shifted = z + set(to_integer);
  return power_of_two(z - (shifted - set(to_integer)), shifted);
}

/// 2^(x·factor), factor = ±log₂e, that is e^±x, for |x| ≤ 87.3. The relative error is at most 2.5e-7 + 1.5e-8·|x|,
/// about what rounding x to a float does.
ADTR_INLINE Vec power_in_range(Vec x, float factor) {
  const Vec shifted = fma(x, set(factor), set(to_integer));
  return power_of_two(fma(x, set(factor), set(to_integer) - shifted), shifted);
}
/// The same for all x; |x| beyond 87.3 counts as 87.3. NaN stays NaN.
ADTR_INLINE Vec power(Vec x, float factor) { return power_in_range(min(set(87.3F), max(set(-87.3F), x)), factor); }

ADTR_INLINE Vec exponential(Vec x) { return power(x, log2_e); }
/// 1 / (1 + e⁻ˣ)
ADTR_INLINE Vec logistic(Vec x) { return set(1.0F) / (set(1.0F) + power(x, -log2_e)); }
/// x / (1 + e⁻ˣ); below −87.3, where the result is nearly 0, as at −87.3.
ADTR_INLINE Vec silu(Vec x) {
  x = max(set(-87.3F), x);
  return x / (set(1.0F) + power_in_range(min(set(87.3F), x), -log2_e));
}

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

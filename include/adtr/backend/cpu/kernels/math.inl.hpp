/// exp, sigmoid, activations.

/// eˣ to 1.2 units in the last place on [−87.3, 88.0] (Cody–Waite reduction, Cephes' polynomial of degree 5 for
/// (eʳ − 1 − r)/r²); arguments beyond are clamped, NaN stays NaN.
ADTR_INLINE Vec exponential(Vec x) {
  x = min(set(88.02F), max(set(-87.3F), x));
  const Vec magic = set(12582912.0F);  // 1.5·2²³: adding it rounds to an integer in the low bits
  const Vec shifted = fma(x, set(1.44269504088896341F), magic);
  const Vec n = shifted - magic;
  Vec r = fma(n, set(-0.693359375F), x);
  r = fma(n, set(2.12194440e-4F), r);
  Vec p = fma(set(1.9875691500e-4F), r, set(1.3981999507e-3F));
  p = fma(p, r, set(8.3334519073e-3F));
  p = fma(p, r, set(4.1665795894e-2F));
  p = fma(p, r, set(1.6666665459e-1F));
  p = fma(p, r, set(5.0000001201e-1F));
  p = fma(p * r, r, r) + set(1.0F);
  return scale_exponent(p, shifted);
}

/// 1 / (1 + e⁻ˣ)
ADTR_INLINE Vec logistic(Vec x) { return set(1.0F) / (set(1.0F) + exponential(zero() - x)); }
ADTR_INLINE Vec silu(Vec x) { return x / (set(1.0F) + exponential(zero() - x)); }

/// none, relu and relu6 as bounds on the result.
ADTR_INLINE float lower_bound(Activation a) {
  return a == Activation::relu || a == Activation::relu6 ? 0.0F : -__builtin_inff();
}
ADTR_INLINE float upper_bound(Activation a) { return a == Activation::relu6 ? 6.0F : __builtin_inff(); }
ADTR_INLINE Vec clamp(Vec x, Vec low, Vec high) { return min(high, max(low, x)); }

/// a·b in products whose sum a task keeps in doubles would be slow; blocks of this many terms are summed in floats.
inline constexpr Index sum_block = 128;

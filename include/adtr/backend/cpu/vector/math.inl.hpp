/// The exponential function and the sigmoid.

inline constexpr float log2_e = 1.44269504088896341F;

/// 2^(f + n), |f| ≤ 1/2, n as `split` has it: a polynomial of degree 5 for 2^f, off by 1e-7 at most.
ADTR_INLINE Vec power_of_two(Split z) {
  Vec p = fma(set(1.32647273e-3F), z.f, set(9.67151299e-3F));
  p = fma(p, z.f, set(5.55073358e-2F));
  p = fma(p, z.f, set(2.40222424e-1F));
  p = fma(p, z.f, set(6.93147004e-1F));
  p = fma(p, z.f, set(1.0F));
  return scale_exponent(p, z.n);
}
/// 2^z for z < 128; below −126 next to nothing. NaN stays NaN.
ADTR_INLINE Vec power_of_two(Vec z) { return power_of_two(split(z)); }

/// 2^(x·factor), factor = ±log₂e, that is e^±x, for x ≥ −87.3. The relative error is at most 2.5e-7 + 1.5e-8·|x|, with
/// AVX-512 2.5e-7 + 6e-8·|x|: what rounding x to a float does. NaN stays NaN.
ADTR_INLINE Vec power(Vec x, float factor) { return power_of_two(split(x, factor)); }

/// eˣ for x < 87.3, where −87.3 stands for less.
ADTR_INLINE Vec exponential(Vec x) { return power(max(set(-87.3F), x), log2_e); }
/// 1 / (1 + e⁻ˣ)
ADTR_INLINE Vec logistic(Vec x) { return set(1.0F) / (set(1.0F) + power(max(set(-87.3F), x), -log2_e)); }

ADTR_INLINE Index smaller(Index a, Index b) { return a < b ? a : b; }
ADTR_INLINE Index larger(Index a, Index b) { return a > b ? a : b; }

/// Long sums are cut into blocks of this many terms, so that rounding errors grow with the blocks, not the terms.
inline constexpr Index sum_block = 128;
/// Sums that must be exact to more than a float are floats within blocks of this many terms, and doubles across blocks.
inline constexpr Index double_block = 512;

inline constexpr Index line_elements = 16;  // of a cache line

/// Asks for a cache line that is needed some microseconds from now.
ADTR_INLINE void prefetch(const float* p) { __builtin_prefetch(p, 0, 2); }

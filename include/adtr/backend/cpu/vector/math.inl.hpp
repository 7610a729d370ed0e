/// The exponential function, the sigmoid, and constants and helpers of the kernels.

inline constexpr float log2_e = 1.44269504088896341F;

/// 2^(f + n), with |f| ≤ 1/2 and n as `split` returns it. 2^f is a polynomial of degree 5 with an error of at most
/// 1e-7.
ADTR_INLINE Vec power_of_two(Split z) {
  Vec p = fma(set(1.32647273e-3F), z.f, set(9.67151299e-3F));
  p = fma(p, z.f, set(5.55073358e-2F));
  p = fma(p, z.f, set(2.40222424e-1F));
  p = fma(p, z.f, set(6.93147004e-1F));
  p = fma(p, z.f, set(1.0F));
  return scale_exponent(p, z.n);
}
/// 2^z for z < 128. Below −126 the result is nearly 0. NaN stays NaN.
ADTR_INLINE Vec power_of_two(Vec z) { return power_of_two(split(z)); }

/// 2^(x·factor) with factor = ±log₂e, that is e^±x, for x ≥ −87.3. The relative error is at most 2.5e-7 + 1.5e-8·|x|;
/// with AVX-512 it is at most 2.5e-7 + 6e-8·|x|, as much as rounding x to a float causes. NaN stays NaN.
ADTR_INLINE Vec power(Vec x, float factor) { return power_of_two(split(x, factor)); }

/// eˣ for x < 87.3. Below −87.3 it is the value at −87.3.
ADTR_INLINE Vec exponential(Vec x) { return power(max(set(-87.3F), x), log2_e); }
/// 1 / (1 + e⁻ˣ)
ADTR_INLINE Vec logistic(Vec x) { return set(1.0F) / (set(1.0F) + power(max(set(-87.3F), x), -log2_e)); }

ADTR_INLINE Index smaller(Index a, Index b) { return a < b ? a : b; }
ADTR_INLINE Index larger(Index a, Index b) { return a > b ? a : b; }

/// Length of the blocks that long sums are cut into, so that rounding errors grow with the number of blocks instead of
/// the number of terms.
inline constexpr Index sum_block = 128;
/// Length of the blocks of sums that need more precision than a float: the sum of a block is a float, the sum of blocks
/// a double.
inline constexpr Index double_block = 512;

inline constexpr Index line_elements = 16;  // number of floats in a cache line

/// Prefetches a cache line that is needed in some microseconds.
ADTR_INLINE void prefetch(const float* p) { __builtin_prefetch(p, 0, 2); }

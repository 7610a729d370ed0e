/// Vectors of one element: plain C++ for any machine.

inline constexpr int width = 1;

struct Vec {
  float v;
};

ADTR_INLINE Vec zero() { return {0.0F}; }
ADTR_INLINE Vec set(float x) { return {x}; }
ADTR_INLINE Vec load(const float* p) { return {*p}; }
/// Loads the first n elements, with zeros beyond; n may be negative or larger than the vector.
ADTR_INLINE Vec load(const float* p, Index n) { return {n > 0 ? *p : 0.0F}; }
ADTR_INLINE void store(float* p, Vec a) { *p = a.v; }
ADTR_INLINE void store(float* p, Vec a, Index n) {
  if (n > 0) *p = a.v;
}
ADTR_INLINE Vec operator+(Vec a, Vec b) { return {a.v + b.v}; }
ADTR_INLINE Vec operator-(Vec a, Vec b) { return {a.v - b.v}; }
ADTR_INLINE Vec operator*(Vec a, Vec b) { return {a.v * b.v}; }
ADTR_INLINE Vec operator/(Vec a, Vec b) { return {a.v / b.v}; }
/// a·b + c, rounded once if the translation unit's flags include a fused multiply-add, otherwise twice: without the
/// instruction, a fused one would be a slow function call. The choice is made here because compilers would fuse some
/// operations and not others, and the bits would depend on the context.
ADTR_INLINE Vec fma(Vec a, Vec b, Vec c) {
#if defined(__FP_FAST_FMAF)
  return {__builtin_fmaf(a.v, b.v, c.v)};
#else
  return {a.v * b.v + c.v};
#endif
}
/// Return the second operand if either is NaN, as the vector instructions do.
ADTR_INLINE Vec min(Vec a, Vec b) { return {a.v < b.v ? a.v : b.v}; }
ADTR_INLINE Vec max(Vec a, Vec b) { return {a.v > b.v ? a.v : b.v}; }
ADTR_INLINE Vec square_root(Vec a) { return {__builtin_sqrtf(a.v)}; }
ADTR_INLINE float sum(Vec a) { return a.v; }
ADTR_INLINE float largest(Vec a) { return a.v; }
/// a where x > 0, otherwise 0.
ADTR_INLINE Vec where_positive(Vec x, Vec a) { return {x.v > 0.0F ? a.v : 0.0F}; }
/// a·2ⁿ
ADTR_INLINE Vec scale_exponent(Vec a, Vec n) {
  return {__builtin_bit_cast(float,
                             __builtin_bit_cast(std::uint32_t, a.v) + (__builtin_bit_cast(std::uint32_t, n.v) << 23))};
}
/// a where the random bits are not below the threshold, otherwise 0.
ADTR_INLINE Vec keep(const std::uint16_t* bits, std::uint32_t threshold, Vec a) {
  return {*bits >= threshold ? a.v : 0.0F};
}

/// Transposes a square of elements: rows[i][j] becomes rows[j][i].
ADTR_INLINE void transpose(Vec (&)[width]) {}

/// 64-bit lanes, for Philox.
struct Lanes {
  std::uint64_t v;
};
inline constexpr int lane_sets = 8;  // number of Lanes that hold eight counters

ADTR_INLINE Lanes lanes(std::uint64_t x) { return {x}; }
/// The low words of the counters of one set.
ADTR_INLINE Lanes counters(std::uint32_t base, int set_index) { return {base + static_cast<std::uint32_t>(set_index)}; }
ADTR_INLINE Lanes multiply_low(Lanes a, Lanes b) { return {(a.v & 0xFFFFFFFFU) * (b.v & 0xFFFFFFFFU)}; }
ADTR_INLINE Lanes high(Lanes a) { return {a.v >> 32}; }
ADTR_INLINE Lanes operator+(Lanes a, Lanes b) { return {a.v + b.v}; }
ADTR_INLINE Lanes operator^(Lanes a, Lanes b) { return {a.v ^ b.v}; }
/// Writes the low words of eight counters in order, each with its low half first.
ADTR_INLINE void store_words(std::uint16_t* p, const Lanes (&sets)[lane_sets]) {
  for (int i = 0; i < lane_sets; ++i) {
    p[2 * i] = static_cast<std::uint16_t>(sets[i].v);
    p[2 * i + 1] = static_cast<std::uint16_t>(sets[i].v >> 16);
  }
}

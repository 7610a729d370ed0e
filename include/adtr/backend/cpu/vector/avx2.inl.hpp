/// Vectors of eight elements: AVX2 and FMA.

inline constexpr int width = 8;

struct Vec {
  __m256 v;
};

/// The mask of the first n elements begins at leading[8 − n].
alignas(64) inline constexpr std::int32_t leading[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
ADTR_INLINE __m256i first_elements(Index n) {
  const Index from = n >= 8 ? 0 : n <= 0 ? 8 : 8 - n;
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(leading + from));
}

ADTR_INLINE Vec zero() { return {_mm256_setzero_ps()}; }
ADTR_INLINE Vec set(float x) { return {_mm256_set1_ps(x)}; }
ADTR_INLINE Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
/// Loads the first n elements, with zeros beyond; n may be negative or larger than the vector. Masked instructions are
/// slow, so they are used only where they are needed.
ADTR_INLINE Vec load(const float* p, Index n) {
  return n >= 8 ? load(p) : Vec{_mm256_maskload_ps(p, first_elements(n))};
}
ADTR_INLINE void store(float* p, Vec a) { _mm256_storeu_ps(p, a.v); }
ADTR_INLINE void store(float* p, Vec a, Index n) {
  if (n >= 8)
    store(p, a);
  else
    _mm256_maskstore_ps(p, first_elements(n), a.v);
}
ADTR_INLINE Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
ADTR_INLINE Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
ADTR_INLINE Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
ADTR_INLINE Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
ADTR_INLINE Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
/// Return the second operand if either is NaN.
ADTR_INLINE Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
ADTR_INLINE Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
ADTR_INLINE Vec square_root(Vec a) { return {_mm256_sqrt_ps(a.v)}; }
ADTR_INLINE float sum(Vec a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
ADTR_INLINE float largest(Vec a) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
/// a where x > 0, otherwise 0.
ADTR_INLINE Vec where_positive(Vec x, Vec a) {
  return {_mm256_and_ps(_mm256_cmp_ps(x.v, _mm256_setzero_ps(), _CMP_GT_OQ), a.v)};
}
/// a·2ⁿ
ADTR_INLINE Vec scale_exponent(Vec a, Vec n) {
  return {
      _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a.v), _mm256_slli_epi32(_mm256_castps_si256(n.v), 23)))};
}
/// a where the random bits are not below the threshold, otherwise 0.
ADTR_INLINE Vec keep(const std::uint16_t* bits, std::uint32_t threshold, Vec a) {
  const __m256i w = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bits)));
  const __m256i t = _mm256_set1_epi32(static_cast<std::int32_t>(threshold));
  return {_mm256_and_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_max_epu32(w, t), w)), a.v)};
}

/// Transposes a square of elements: r[i][j] becomes r[j][i].
ADTR_INLINE void transpose(Vec (&r)[width]) {
  __m256 pairs[8], fours[8];
  ADTR_UNROLL for (int i = 0; i < 8; i += 2) {
    pairs[i] = _mm256_unpacklo_ps(r[i].v, r[i + 1].v);
    pairs[i + 1] = _mm256_unpackhi_ps(r[i].v, r[i + 1].v);
  }
  ADTR_UNROLL for (int i = 0; i < 8; i += 4) {
    fours[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
    fours[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xEE);
    fours[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
    fours[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xEE);
  }
  ADTR_UNROLL for (int i = 0; i < 4; ++i) {
    r[i].v = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
    r[i + 4].v = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
  }
}

/// 64-bit lanes, for Philox.
struct Lanes {
  __m256i v;
};
inline constexpr int lane_sets = 2;  // the even counters and the odd ones

ADTR_INLINE Lanes lanes(std::uint64_t x) { return {_mm256_set1_epi64x(static_cast<long long>(x))}; }
/// The low words of the counters of one set.
ADTR_INLINE Lanes counters(std::uint32_t base, int set_index) {
  return {
      _mm256_add_epi32(_mm256_set1_epi64x(static_cast<long long>(base) + set_index), _mm256_setr_epi64x(0, 2, 4, 6))};
}
ADTR_INLINE Lanes multiply_low(Lanes a, Lanes b) { return {_mm256_mul_epu32(a.v, b.v)}; }
ADTR_INLINE Lanes high(Lanes a) { return {_mm256_srli_epi64(a.v, 32)}; }
ADTR_INLINE Lanes operator+(Lanes a, Lanes b) { return {_mm256_add_epi64(a.v, b.v)}; }
ADTR_INLINE Lanes operator^(Lanes a, Lanes b) { return {_mm256_xor_si256(a.v, b.v)}; }
/// Writes the low words of eight counters in order, each with its low half first.
ADTR_INLINE void store_words(std::uint16_t* p, const Lanes (&sets)[lane_sets]) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                      _mm256_blend_epi32(sets[0].v, _mm256_slli_epi64(sets[1].v, 32), 0xAA));
}

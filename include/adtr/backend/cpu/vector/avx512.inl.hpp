/// Vectors of sixteen elements: AVX-512 F, DQ, BW and VL.

inline constexpr int width = 16;

struct Vec {
  __m512 v;
};

ADTR_INLINE __mmask16 first_elements(Index n) {
  return n >= 16 ? __mmask16{0xFFFF} : n <= 0 ? __mmask16{0} : static_cast<__mmask16>((1U << n) - 1U);
}

ADTR_INLINE Vec zero() { return {_mm512_setzero_ps()}; }
ADTR_INLINE Vec set(float x) { return {_mm512_set1_ps(x)}; }
ADTR_INLINE Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
ADTR_INLINE Vec load(const float* p, Index n) { return {_mm512_maskz_loadu_ps(first_elements(n), p)}; }
ADTR_INLINE void store(float* p, Vec a) { _mm512_storeu_ps(p, a.v); }
ADTR_INLINE void store(float* p, Vec a, Index n) { _mm512_mask_storeu_ps(p, first_elements(n), a.v); }
ADTR_INLINE Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
ADTR_INLINE Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
ADTR_INLINE Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
ADTR_INLINE Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
ADTR_INLINE Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
// The masked forms are used because GCC 12's unmasked min, max, sqrt, shifts and extracts read an undefined vector,
// which -Wall reports.
/// Return the second operand if either is NaN.
ADTR_INLINE Vec min(Vec a, Vec b) { return {_mm512_maskz_min_ps(__mmask16{0xFFFF}, a.v, b.v)}; }
ADTR_INLINE Vec max(Vec a, Vec b) { return {_mm512_maskz_max_ps(__mmask16{0xFFFF}, a.v, b.v)}; }
ADTR_INLINE Vec square_root(Vec a) { return {_mm512_maskz_sqrt_ps(__mmask16{0xFFFF}, a.v)}; }
template <int Half>
ADTR_INLINE __m256 half_of(__m512 a) {
  return _mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(__mmask8{0xF}, _mm512_castps_pd(a), Half));
}
ADTR_INLINE float sum(Vec a) {
  const __m256 half = _mm256_add_ps(half_of<0>(a.v), half_of<1>(a.v));
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
ADTR_INLINE float largest(Vec a) {
  const __m256 half = _mm256_max_ps(half_of<0>(a.v), half_of<1>(a.v));
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
/// a where x > 0, otherwise 0.
ADTR_INLINE Vec where_positive(Vec x, Vec a) {
  return {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x.v, _mm512_setzero_ps(), _CMP_GT_OQ), a.v)};
}
/// A number n + f as power_of_two takes it: |f| ≤ 1/2, and n is a whole number.
struct Split {
  Vec f, n;
};
ADTR_INLINE Split split(Vec z) {
  const Vec f{_mm512_maskz_reduce_ps(__mmask16{0xFFFF}, z.v, 8)};  // minus the nearest whole number
  return {f, z - f};
}
ADTR_INLINE Split split(Vec x, float factor) { return split(x * set(factor)); }
/// a·2ⁿ
ADTR_INLINE Vec scale_exponent(Vec a, Vec n) { return {_mm512_maskz_scalef_ps(__mmask16{0xFFFF}, a.v, n.v)}; }
/// a where the random bits are not below the threshold, otherwise 0.
ADTR_INLINE Vec keep(const std::uint16_t* bits, std::uint32_t threshold, Vec a) {
  const __m512i w =
      _mm512_maskz_cvtepu16_epi32(__mmask16{0xFFFF}, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bits)));
  const __m512i t = _mm512_set1_epi32(static_cast<std::int32_t>(threshold));
  return {_mm512_maskz_mov_ps(_mm512_cmp_epu32_mask(w, t, _MM_CMPINT_NLT), a.v)};
}

/// Transposes a square of elements: r[i][j] becomes r[j][i].
ADTR_INLINE void transpose(Vec (&r)[width]) {
  // Transposes 4×4 blocks first and then permutes the blocks, so that lanes of 128 bits stay in place until the end.
  constexpr __mmask16 all{0xFFFF};
  __m512 pairs[16], fours[16], eights[16];
  ADTR_UNROLL for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_maskz_unpacklo_ps(all, r[i].v, r[i + 1].v);
    pairs[i + 1] = _mm512_maskz_unpackhi_ps(all, r[i].v, r[i + 1].v);
  }
  ADTR_UNROLL for (int i = 0; i < 16; i += 4) {
    fours[i] = _mm512_maskz_shuffle_ps(all, pairs[i], pairs[i + 2], 0x44);
    fours[i + 1] = _mm512_maskz_shuffle_ps(all, pairs[i], pairs[i + 2], 0xEE);
    fours[i + 2] = _mm512_maskz_shuffle_ps(all, pairs[i + 1], pairs[i + 3], 0x44);
    fours[i + 3] = _mm512_maskz_shuffle_ps(all, pairs[i + 1], pairs[i + 3], 0xEE);
  }
  // fours[4b + c] holds column 4·lane + c of rows 4b to 4b + 3.
  ADTR_UNROLL for (int c = 0; c < 4; ++c) {
    eights[c] = _mm512_maskz_shuffle_f32x4(all, fours[c], fours[4 + c], 0x88);
    eights[4 + c] = _mm512_maskz_shuffle_f32x4(all, fours[c], fours[4 + c], 0xDD);
    eights[8 + c] = _mm512_maskz_shuffle_f32x4(all, fours[8 + c], fours[12 + c], 0x88);
    eights[12 + c] = _mm512_maskz_shuffle_f32x4(all, fours[8 + c], fours[12 + c], 0xDD);
  }
  ADTR_UNROLL for (int c = 0; c < 4; ++c) {
    r[c].v = _mm512_maskz_shuffle_f32x4(all, eights[c], eights[8 + c], 0x88);
    r[8 + c].v = _mm512_maskz_shuffle_f32x4(all, eights[c], eights[8 + c], 0xDD);
    r[4 + c].v = _mm512_maskz_shuffle_f32x4(all, eights[4 + c], eights[12 + c], 0x88);
    r[12 + c].v = _mm512_maskz_shuffle_f32x4(all, eights[4 + c], eights[12 + c], 0xDD);
  }
}

/// 64-bit lanes, for Philox.
struct Lanes {
  __m512i v;
};
inline constexpr int lane_sets = 1;

ADTR_INLINE Lanes lanes(std::uint64_t x) { return {_mm512_set1_epi64(static_cast<long long>(x))}; }
/// The low words of the counters of one set.
ADTR_INLINE Lanes counters(std::uint32_t base, int set_index) {
  return {_mm512_add_epi32(_mm512_set1_epi64(static_cast<long long>(base) + set_index),
                           _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7))};
}
ADTR_INLINE Lanes multiply_low(Lanes a, Lanes b) { return {_mm512_maskz_mul_epu32(__mmask8{0xFF}, a.v, b.v)}; }
ADTR_INLINE Lanes high(Lanes a) { return {_mm512_maskz_srli_epi64(__mmask8{0xFF}, a.v, 32)}; }
ADTR_INLINE Lanes operator+(Lanes a, Lanes b) { return {_mm512_add_epi64(a.v, b.v)}; }
ADTR_INLINE Lanes operator^(Lanes a, Lanes b) { return {_mm512_xor_si512(a.v, b.v)}; }
/// Writes the low words of eight counters in order, each with its low half first.
ADTR_INLINE void store_words(std::uint16_t* p, const Lanes (&sets)[lane_sets]) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_maskz_cvtepi64_epi32(__mmask8{0xFF}, sets[0].v));
}

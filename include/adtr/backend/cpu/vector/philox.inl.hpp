/// The random bits of dropout, for 64 elements at a time. They are equal to Dropout::bits.

/// Computes the bits of the elements [64·block, 64·block + 64).
ADTR_INLINE void random_bits(const DropoutStream& d, std::uint64_t block, std::uint16_t* bits) {
  const std::uint64_t first = block * 8;  // a multiple of 8, so that the eight counters have the same high word
  Lanes c[4][lane_sets];
  ADTR_UNROLL for (int s = 0; s < lane_sets; ++s) {
    c[0][s] = counters(static_cast<std::uint32_t>(first), s);
    c[1][s] = lanes(first >> 32);
    c[2][s] = lanes(d.site);
    c[3][s] = lanes(d.step);
  }
  // Only the low words of these lanes are used; carries and products may leave anything in the high words.
  Lanes key0 = lanes(d.seed), key1 = lanes(d.seed >> 32);
  const Lanes weyl0 = lanes(0x9E3779B9), weyl1 = lanes(0xBB67AE85);
  const Lanes m0 = lanes(0xD2511F53), m1 = lanes(0xCD9E8D57);
  ADTR_UNROLL for (int round = 0; round < 7; ++round) {
    ADTR_UNROLL for (int s = 0; s < lane_sets; ++s) {
      const Lanes p0 = multiply_low(m0, c[0][s]), p1 = multiply_low(m1, c[2][s]);
      c[0][s] = high(p1) ^ (c[1][s] ^ key0);
      c[1][s] = p1;
      c[2][s] = high(p0) ^ (c[3][s] ^ key1);
      c[3][s] = p0;
    }
    key0 = key0 + weyl0;
    key1 = key1 + weyl1;
  }
  ADTR_UNROLL for (int w = 0; w < 4; ++w) store_words(bits + 16 * w, c[w]);
}

/// Writes the bits of the elements [first, first + n), and up to 128 more, to `bits`. Returns where those of the first
/// element are.
ADTR_INLINE const std::uint16_t* random_row(const DropoutStream& d, std::uint64_t first, Index n, std::uint16_t* bits) {
  const auto offset = static_cast<Index>(first % 64);
  for (Index i = 0; i < offset + n; i += 64) random_bits(d, first / 64 + static_cast<std::uint64_t>(i / 64), bits + i);
  return bits + offset;
}

inline constexpr Index max_random = 512;  // number of elements whose bits are computed at a time
inline constexpr Index random_capacity = max_random + 128;

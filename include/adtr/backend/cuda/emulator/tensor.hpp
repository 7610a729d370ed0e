/// Emulator: a tensor core: rounding to its formats, and the product of a warp's fragments.
#pragma once

#include <array>
#include <bit>

#include "adtr/backend/cuda/fragments.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::emulator {

/// The instruction cvt.rna.tf32.f32.
[[nodiscard]] inline Word tf32(float x) {
  const auto bits = std::bit_cast<Word>(x);
  if (x != x) return 0x7FFFFFFF;
  if ((bits & 0x7F800000) == 0x7F800000) return bits;
  // Adds half of the last kept place to the magnitude, so that ties round away from 0.
  return (bits + 0x1000) & 0xFFFFE000;
}

/// The instruction cvt.rn.bf16.f32; the result is in the lower half.
[[nodiscard]] inline Word bf16(float x) {
  const auto bits = std::bit_cast<Word>(x);
  if (x != x) return 0x7FFF;
  return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;  // a tie rounds up if the last kept bit is odd
}

[[nodiscard]] inline Word pack(Tf32 /*format*/, const float (&x)[1]) { return tf32(x[0]); }
[[nodiscard]] inline Word pack(Bf16 /*format*/, const float (&x)[2]) { return bf16(x[0]) | bf16(x[1]) << 16; }

/// Value `i` of a word. A tensor core ignores the lowest 13 bits of a TF32.
[[nodiscard]] inline float unpack(Tf32 /*format*/, Word word, int /*i*/) {
  return std::bit_cast<float>(word & 0xFFFFE000);
}
[[nodiscard]] inline float unpack(Bf16 /*format*/, Word word, int i) {
  return std::bit_cast<float>(i == 0 ? word << 16 : word & 0xFFFF0000);
}

/// What a lane passes to its warp at a rendezvous: its fragments of a and b.
using Passed = std::array<Word, 6>;

/// Adds to a lane's sums the products of all lanes' fragments, one by one in ascending k. A GPU adds the products of
/// one instruction in its own order and with its own rounding.
template <class Format>
void multiply_fragments(const std::array<Passed, warp>& lanes, int lane, Fragments::C& sums) {
  constexpr int depth = Fragments::words * Format::values;
  Array<float, 2, depth> rows, columns;  // of a and of b, for the lane's sums
  for (int i = 0; i < 2; ++i)
    for (int k = 0; k < depth; ++k) {
      // Of the four lanes of a group, lane `holder` holds the word, in half 0 or 1 of its fragment.
      const int word = k / Format::values, holder = word % 4, half = word / 4, v = k % Format::values;
      const auto place = [](int n) { return static_cast<std::size_t>(n); };
      rows[i][k] = unpack(Format{}, lanes[place(Fragments::group(lane) * 4 + holder)][place(half * 2 + i)], v);
      const int column = Fragments::c_column(lane, i);
      columns[i][k] = unpack(Format{}, lanes[place(column * 4 + holder)][place(4 + half)], v);
    }
  for (int k = 0; k < depth; ++k)
    for (int i = 0; i < 4; ++i) sums[i] += rows[i / 2][k] * columns[i % 2][k];
}

}  // namespace cuda::emulator
}  // namespace ADTR_ABI
}  // namespace adtr

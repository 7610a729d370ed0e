/// CUDA: products on tensor cores (mma.sync): how factors are rounded, and which lane holds which values.
#pragma once

#include <cstdint>
#include <string_view>

#include "adtr/backend/cuda/execution.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda {

/// The format that factors of products are rounded to. Sums are always floats. GPUs without suitable tensor cores
/// multiply floats.
enum class Precision : std::uint8_t {
  float32,  ///< no rounding
  tf32,     ///< 10 bits of fraction, ties away from zero: relative error up to 2⁻¹¹
  bf16      ///< 7 bits of fraction, ties to even: relative error up to 2⁻⁸
};

/// The precision with the given name. Throws Error if there is none.
[[nodiscard]] inline Precision parse_precision(std::string_view name) {
  if (name == "float32") return Precision::float32;
  if (name == "tf32") return Precision::tf32;
  if (name == "bf16") return Precision::bf16;
  throw Error("expected the precision float32, tf32 or bf16, found " + std::string(name) + ".", ErrorCode::option);
}

/// The unit in which a lane passes factors to a tensor core: `values` neighbours in k, the first in the lowest bits.
using Word = std::uint32_t;

/// Factors of the instruction shape m16n8k8.
struct Tf32 {
  static constexpr int values = 1;
};

/// Factors of the instruction shape m16n8k16.
struct Bf16 {
  static constexpr int values = 2;
};

/// The fragments of one product c (16, 8) += a (16, 8 words)·b (8 words, 8), distributed over the lanes of a warp.
/// Counted in words, they are the same in both formats. Each function gives the row, column or word of element i of a
/// lane's fragment.
struct Fragments {
  static constexpr int rows = 16;
  static constexpr int columns = 8;
  static constexpr int words = 8;

  using A = Word[4];
  using B = Word[2];
  using C = float[4];

  [[nodiscard]] ADTR_DEVICE static constexpr int group(int lane) { return lane >> 2; }
  [[nodiscard]] ADTR_DEVICE static constexpr int in_group(int lane) { return lane % 4; }

  [[nodiscard]] ADTR_DEVICE static constexpr int a_row(int lane, int i) { return group(lane) + i % 2 * 8; }
  [[nodiscard]] ADTR_DEVICE static constexpr int a_word(int lane, int i) { return in_group(lane) + i / 2 * 4; }
  [[nodiscard]] ADTR_DEVICE static constexpr int b_word(int lane, int i) { return in_group(lane) + i * 4; }
  [[nodiscard]] ADTR_DEVICE static constexpr int b_column(int lane) { return group(lane); }
  [[nodiscard]] ADTR_DEVICE static constexpr int c_row(int lane, int i) { return group(lane) + i / 2 * 8; }
  [[nodiscard]] ADTR_DEVICE static constexpr int c_column(int lane, int i) { return in_group(lane) * 2 + i % 2; }
};

}  // namespace cuda
}  // namespace ADTR_ABI
}  // namespace adtr

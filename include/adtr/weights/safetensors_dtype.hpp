/// The number formats of safetensors files, and their conversion to float or double.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");
static_assert(std::numeric_limits<float>::is_iec559 && std::numeric_limits<double>::is_iec559);

/// In the order of the reference implementation, which lays tensors out in the reverse of it.
enum class DType {
  BOOL,
  F4,
  F6_E2M3,
  F6_E3M2,
  U8,
  I8,
  F8_E5M2,
  F8_E4M3,
  F8_E8M0,
  F8_E4M3FNUZ,
  F8_E5M2FNUZ,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  C64,
  F64,
  I64,
  U64,
};

namespace detail {

struct DTypeRow {
  std::string_view name;
  unsigned bits;
};

inline constexpr std::array<DTypeRow, 22> dtype_table{{
    {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"U8", 8},          {"I8", 8},
    {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
    {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},        {"U32", 32},        {"F32", 32},
    {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64},
}};
static_assert(dtype_table[static_cast<std::size_t>(DType::U64)].name == "U64");

}  // namespace detail

/// The name in a header, such as "F32".
[[nodiscard]] constexpr std::string_view dtype_name(DType t) {
  return detail::dtype_table[static_cast<std::size_t>(t)].name;
}

/// Bits of one element; some formats are smaller than a byte. C64 has 64 bits, as in the reference implementation.
[[nodiscard]] constexpr unsigned dtype_bits(DType t) { return detail::dtype_table[static_cast<std::size_t>(t)].bits; }

[[nodiscard]] constexpr std::optional<DType> dtype_from_name(std::string_view name) {
  for (std::size_t i = 0; i < detail::dtype_table.size(); ++i)
    if (detail::dtype_table[i].name == name) return static_cast<DType>(i);
  return std::nullopt;
}

/// Converts IEEE 754 binary16; every value of it is exact in float.
[[nodiscard]] constexpr float float_from_f16(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
  const std::uint32_t exponent = half >> 10 & 0x1FU;
  const std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 31 ? 255 : exponent + (127 - 15);
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

/// Converts bfloat16, which is the upper half of a float.
[[nodiscard]] constexpr float float_from_bf16(std::uint16_t upper) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(upper) << 16);
}

namespace detail {

/// out[i] = convert(element i of `bytes`). The bytes need no alignment, because a header may have any length.
template <class Stored, class T, class Convert>
void read_each(std::span<const std::byte> bytes, std::span<T> out, Convert convert) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    Stored value;
    std::memcpy(&value, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    out[i] = static_cast<T>(convert(value));
  }
}

}  // namespace detail

/// Converts elements of type `t` to float or double, rounded to nearest; `bytes` holds exactly out.size() of them.
/// Returns false and writes nothing for types that are not plain numbers: complex ones, and floats of fewer than 16
/// bits.
template <std::floating_point T>
[[nodiscard]] bool convert_elements(DType t, std::span<const std::byte> bytes, std::span<T> out) {
  constexpr auto same = [](auto value) { return value; };
  switch (t) {
    case DType::F32:
      if constexpr (std::is_same_v<T, float>) {
        if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
      } else {
        detail::read_each<float>(bytes, out, same);
      }
      return true;
    case DType::F64:
      detail::read_each<double>(bytes, out, same);
      return true;
    case DType::F16:
      detail::read_each<std::uint16_t>(bytes, out, float_from_f16);
      return true;
    case DType::BF16:
      detail::read_each<std::uint16_t>(bytes, out, float_from_bf16);
      return true;
    case DType::BOOL:
    case DType::U8:
      detail::read_each<std::uint8_t>(bytes, out, same);
      return true;
    case DType::I8:
      detail::read_each<std::int8_t>(bytes, out, same);
      return true;
    case DType::I16:
      detail::read_each<std::int16_t>(bytes, out, same);
      return true;
    case DType::U16:
      detail::read_each<std::uint16_t>(bytes, out, same);
      return true;
    case DType::I32:
      detail::read_each<std::int32_t>(bytes, out, same);
      return true;
    case DType::U32:
      detail::read_each<std::uint32_t>(bytes, out, same);
      return true;
    case DType::I64:
      detail::read_each<std::int64_t>(bytes, out, same);
      return true;
    case DType::U64:
      detail::read_each<std::uint64_t>(bytes, out, same);
      return true;
    default:
      return false;
  }
}

}  // namespace ADTR_ABI
}  // namespace adtr

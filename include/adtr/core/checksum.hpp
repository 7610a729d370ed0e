/// The two checksums of a PNG file: CRC-32 of its chunks, Adler-32 of its pixels.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

/// Table k gives the effect of a byte on the CRC after k further bytes, so that one step takes eight bytes.
inline constexpr auto crc_tables = [] {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) != 0 ? 0xEDB88320U : 0U);
    tables[0][i] = value;
  }
  for (std::size_t k = 1; k < 8; ++k)
    for (std::size_t i = 0; i < 256; ++i) tables[k][i] = tables[k - 1][i] >> 8 ^ tables[0][tables[k - 1][i] & 255];
  return tables;
}();

/// The CRC-32 that PNG, zip and gzip use.
[[nodiscard]] inline std::uint32_t crc32(std::span<const std::uint8_t> bytes) {
  const auto& t = crc_tables;
  std::uint32_t crc = 0xFFFFFFFF;
  const std::uint8_t* p = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, p += 8) {
    crc ^= p[0] | std::uint32_t{p[1]} << 8 | std::uint32_t{p[2]} << 16 | std::uint32_t{p[3]} << 24;
    crc = t[7][crc & 255] ^ t[6][crc >> 8 & 255] ^ t[5][crc >> 16 & 255] ^ t[4][crc >> 24] ^ t[3][p[4]] ^ t[2][p[5]] ^
          t[1][p[6]] ^ t[0][p[7]];
  }
  for (; left > 0; --left, ++p) crc = crc >> 8 ^ t[0][(crc ^ *p) & 255];
  return ~crc;
}

/// The Adler-32 at the end of a zlib stream, computed over the uncompressed bytes.
[[nodiscard]] inline std::uint32_t adler32(std::span<const std::uint8_t> bytes) {
  constexpr std::uint32_t modulus = 65521;
  constexpr std::size_t lanes = 16;        // a constant number, so that compilers vectorise at -O2
  constexpr std::size_t max_bytes = 5552;  // after more bytes the second sum may overflow 32 bits
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  const std::uint8_t* p = bytes.data();
  for (std::size_t left = bytes.size(); left > 0;) {
    const std::size_t n = (std::min)(left, max_bytes);
    left -= n;
    std::size_t i = 0;
    if (n >= lanes) {
      // In steps of 16 bytes, lane k sums the bytes k, k + 16, ... (sums) and adds up its own sum as it was before each
      // step (sums_before), because b adds up the values of a.
      std::array<std::uint32_t, lanes> sums{};
      std::array<std::uint32_t, lanes> sums_before{};
      for (; i + lanes <= n; i += lanes, p += lanes) {
        for (std::size_t k = 0; k < lanes; ++k) {
          sums_before[k] += sums[k];
          sums[k] += p[k];
        }
      }
      b += a * static_cast<std::uint32_t>(i);
      for (std::size_t k = 0; k < lanes; ++k) {
        b += static_cast<std::uint32_t>(lanes) * sums_before[k] + static_cast<std::uint32_t>(lanes - k) * sums[k];
        a += sums[k];
      }
    }
    for (; i < n; ++i, ++p) {
      a += *p;
      b += a;
    }
    a %= modulus;
    b %= modulus;
  }
  return b << 16 | a;
}

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr

/// Reads the coded data of a JPEG bit by bit, and decodes its Huffman codes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

/// Reads bits of a segment of coded data up to the marker that ends it, then counted zero bits.
class JpegBits {
 public:
  JpegBits(std::span<const std::uint8_t> bytes, std::size_t at) : bytes_(bytes), at_(at) {}

  /// Afterwards at least 32 bits are in the buffer.
  void fill() {
    if (left_ > 32) return;
    std::uint32_t four = 0;
    if (padded_ == 0 && bytes_.size() - at_ >= 4) {
      std::memcpy(&four, bytes_.data() + at_, 4);
      const std::uint32_t inverse = ~four;  // so that a byte FF becomes 0
      if (((inverse - 0x01010101U) & ~inverse & 0x80808080U) == 0) {
        for (std::size_t i = 0; i < 4; ++i) buffer_ = buffer_ << 8 | bytes_[at_ + i];
        at_ += 4;
        left_ += 32;
        return;
      }
    }
    while (left_ <= 56) {
      if (at_ + 1 < bytes_.size() && bytes_[at_] == 0xFF && bytes_[at_ + 1] == 0) {
        take(0xFF, 2);
      } else if (at_ < bytes_.size() && bytes_[at_] != 0xFF) {
        take(bytes_[at_], 1);
      } else {
        padded_ += 8;
        take(0, 0);
      }
    }
  }

  [[nodiscard]] std::uint32_t peek(int n) const {
    return static_cast<std::uint32_t>(buffer_ >> (left_ - n)) & ((std::uint32_t{1} << n) - 1);
  }
  void skip(int n) { left_ -= n; }
  std::uint32_t take_bits(int n) {
    const std::uint32_t value = peek(n);
    skip(n);
    return value;
  }

  /// Whether more bits were used than the data has.
  [[nodiscard]] bool overrun() const { return left_ < padded_; }

  /// Whether a nonzero byte follows the current, partly used byte. (Some cameras append zeros.)
  [[nodiscard]] bool surplus() {
    fill();
    int bits = left_ - padded_;
    for (bits -= bits % 8; bits >= 8; bits -= 8)
      if ((buffer_ >> (bits - 8 + padded_) & 255) != 0) return true;
    while (at_ < bytes_.size() && bytes_[at_] == 0) ++at_;
    return at_ < bytes_.size() && (bytes_[at_] != 0xFF || (at_ + 1 < bytes_.size() && bytes_[at_ + 1] == 0));
  }

  /// Continues after the restart marker with this number. Returns false if the next marker is another one or missing.
  bool restart(int number) {
    while (at_ + 1 < bytes_.size() && bytes_[at_] == 0xFF && bytes_[at_ + 1] == 0xFF) ++at_;
    if (at_ + 1 >= bytes_.size() || bytes_[at_] != 0xFF || bytes_[at_ + 1] != 0xD0 + number) return false;
    at_ += 2;
    buffer_ = 0;
    left_ = padded_ = 0;
    return true;
  }

  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  void take(std::uint8_t byte, std::size_t bytes) {
    buffer_ = buffer_ << 8 | byte;
    left_ += 8;
    at_ += bytes;
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t at_;
  std::uint64_t buffer_ = 0;  ///< the last `left_` bits are unused; the last `padded_` bits are padding
  int left_ = 0;
  int padded_ = 0;
};

/// A Huffman table: maps codes of up to 16 bits to symbols.
class JpegCodes {
 public:
  /// Builds the table from the 16 counts of codes per length and from the symbols. Returns false if there are more
  /// codes of a length than fit, or fewer symbols than codes.
  bool build(std::span<const std::uint8_t> counts, std::span<const std::uint8_t> symbols) {
    fast_.fill(0);
    std::uint32_t code = 0;
    std::size_t index = 0;
    for (int length = 1; length <= 16; ++length) {
      const std::uint32_t count = counts[static_cast<std::size_t>(length - 1)];
      first_[static_cast<std::size_t>(length)] = static_cast<std::int32_t>(index) - static_cast<std::int32_t>(code);
      for (std::uint32_t i = 0; i < count; ++i, ++code, ++index) {
        if (code >= std::uint32_t{1} << length || index >= symbols.size() || index >= symbols_.size()) return false;
        symbols_[index] = symbols[index];
        if (length > fast_bits) continue;
        const std::uint32_t begin = code << (fast_bits - length);
        std::fill_n(fast_.begin() + begin, std::size_t{1} << (fast_bits - length),
                    static_cast<std::uint16_t>(length << 8 | symbols[index]));
      }
      end_[static_cast<std::size_t>(length)] = code << (16 - length);
      code <<= 1;
    }
    built_ = true;
    return true;
  }

  /// Returns the next symbol, or -1 if the bits are not a code. The buffer must hold 16 bits.
  int next(JpegBits& bits) const {
    const std::uint32_t word = bits.peek(16);
    if (const std::uint16_t found = fast_[word >> (16 - fast_bits)]; found != 0) {
      bits.skip(found >> 8);
      return found & 255;
    }
    for (std::size_t length = fast_bits + 1; length <= 16; ++length) {
      if (word >= end_[length]) continue;
      bits.skip(static_cast<int>(length));
      return symbols_[static_cast<std::size_t>(static_cast<std::int32_t>(word >> (16 - length)) + first_[length])];
    }
    return -1;
  }

  [[nodiscard]] bool built() const { return built_; }

 private:
  static constexpr int fast_bits = 10;
  std::array<std::uint16_t, 1 << fast_bits> fast_{};  ///< length << 8 | symbol; 0: no code or a longer one
  std::array<std::uint32_t, 17> end_{};               ///< by length: the first 16-bit value above its codes
  std::array<std::int32_t, 17> first_{};              ///< by length: add to a code to get its symbol's index
  std::array<std::uint8_t, 256> symbols_{};
  bool built_ = false;
};

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr

/// Checks whether the coded data of a JPEG holds the image that its header promises. Huffman codes are walked, not
/// decoded.
///
/// A JPEG has no checksum. stb silently paints missing parts grey and ignores surplus data. Most damage makes a decoder
/// lose step, so that the data ends before the last block, continues after it, or contains an impossible code. These
/// cases are detected here. A changed bit in a coefficient, or damage after which the codes fall into step again,
/// cannot be detected.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "adtr/core/abi.hpp"
#include "adtr/core/ceil_div.hpp"
#include "adtr/core/extents.hpp"
#include "adtr/data/jpeg_bits.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

/// Walks the segments of one JPEG. Errors that stb reports itself are left to stb.
class JpegScans {
 public:
  explicit JpegScans(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  /// Returns what is wrong with the coded data, or null.
  const char* flaw() {
    for (std::size_t at = 2; at + 4 <= bytes_.size();) {
      if (bytes_[at] != 0xFF || bytes_[at + 1] == 0xFF) {
        ++at;
        continue;
      }
      const std::uint8_t marker = bytes_[at + 1];
      if (marker == 0xD9) break;
      if (marker <= 1 || (marker >= 0xD0 && marker <= 0xD8)) {
        at += 2;
        continue;
      }
      const std::size_t length = static_cast<std::size_t>(bytes_[at + 2] << 8 | bytes_[at + 3]);
      if (length < 2 || length > bytes_.size() - at - 2) return nullptr;
      const auto segment = bytes_.subspan(at + 4, length - 2);
      at += 2 + length;
      if (marker == 0xDB && !quantisation(segment)) return "a quantisation step is 0";
      if (marker == 0xC4 && !tables(segment)) return "its Huffman tables are impossible";
      if (marker == 0xDD && segment.size() >= 2) restart_ = segment[0] << 8 | segment[1];
      if (marker >= 0xC0 && marker <= 0xC2 && !frame(segment, marker == 0xC2)) return nullptr;
      if (marker != 0xDA) continue;
      if (!scan_header(segment)) return nullptr;
      JpegBits bits(bytes_, at);
      if (const char* found = scan(bits)) return found;
      at = bits.at();
    }
    return unfinished();
  }

 private:
  struct Component {
    int id = 0;
    Index across = 1;  ///< blocks per interleaved unit, horizontally
    Index down = 1;
    Index own_width = 0;  ///< in blocks, if it is the only component of a scan
    Index own_height = 0;
    Index stride = 0;  ///< blocks per row
    bool seen = false;
    std::array<int, 64> shift{};            ///< progressive: missing bits of each coefficient; -1: never coded
    std::vector<std::uint64_t> not_zero{};  ///< progressive: one bit per coefficient of each block
  };
  struct Part {
    Component* component;
    const JpegCodes* dc;
    const JpegCodes* ac;
  };

  static constexpr const char* early = "its coded data ends before the image does";
  static constexpr const char* impossible = "its coded data has an impossible code";
  static constexpr const char* late = "its coded data continues after the image";

  static bool quantisation(std::span<const std::uint8_t> segment) {
    for (std::size_t at = 0; at < segment.size();) {
      const std::size_t step = segment[at] >= 16 ? 2 : 1;
      ++at;
      for (int i = 0; i < 64 && at + step <= segment.size(); ++i, at += step)
        if (segment[at] == 0 && segment[at + step - 1] == 0) return false;
      if (at + 65 > segment.size()) break;
    }
    return true;
  }

  bool tables(std::span<const std::uint8_t> segment) {
    for (std::size_t at = 0; at + 17 <= segment.size();) {
      const std::size_t kind = segment[at] >> 4;
      const std::size_t place = segment[at] & 15;
      if (kind > 1 || place > 3) return false;
      const auto counts = segment.subspan(at + 1, 16);
      std::size_t codes = 0;
      for (const std::uint8_t count : counts) codes += count;
      at += 17;
      if (codes > segment.size() - at || !codes_[kind][place].build(counts, segment.subspan(at, codes))) return false;
      at += codes;
    }
    return true;
  }

  bool frame(std::span<const std::uint8_t> segment, bool progressive) {
    if (!components_.empty() || segment.size() < 6 || segment.size() != 6 + std::size_t{3} * segment[5]) return false;
    progressive_ = progressive;
    const Index height = segment[1] << 8 | segment[2];
    const Index width = segment[3] << 8 | segment[4];
    components_.resize(segment[5]);
    Index max_across = 1;
    Index max_down = 1;
    for (std::size_t i = 0; i < components_.size(); ++i) {
      Component& c = components_[i];
      c.id = segment[6 + 3 * i];
      c.across = segment[7 + 3 * i] >> 4;
      c.down = segment[7 + 3 * i] & 15;
      if (c.across < 1 || c.across > 4 || c.down < 1 || c.down > 4) return false;
      max_across = (std::max)(max_across, c.across);
      max_down = (std::max)(max_down, c.down);
    }
    units_across_ = ceil_div(width, 8 * max_across);
    units_down_ = ceil_div(height, 8 * max_down);
    for (Component& c : components_) {
      c.own_width = ceil_div(ceil_div(width * c.across, max_across), 8);
      c.own_height = ceil_div(ceil_div(height * c.down, max_down), 8);
      c.stride = units_across_ * c.across;
      c.shift.fill(-1);
      if (progressive) c.not_zero.resize(static_cast<std::size_t>(c.stride * units_down_ * c.down));
    }
    return true;
  }

  bool scan_header(std::span<const std::uint8_t> segment) {
    if (segment.empty() || segment[0] < 1 || segment[0] > 4) return false;
    const std::size_t n = segment[0];
    if (segment.size() != 4 + 2 * n) return false;
    parts_.clear();
    for (std::size_t i = 0; i < n; ++i) {
      const auto id = segment[1 + 2 * i];
      const std::size_t dc = segment[2 + 2 * i] >> 4;
      const std::size_t ac = segment[2 + 2 * i] & 15;
      const auto found =
          std::find_if(components_.begin(), components_.end(), [&](const Component& c) { return c.id == id; });
      if (found == components_.end() || dc > 3 || ac > 3) return false;
      parts_.push_back({&*found, &codes_[0][dc], &codes_[1][ac]});
    }
    first_ = segment[1 + 2 * n];
    last_ = progressive_ ? segment[2 + 2 * n] : 63;
    refines_ = progressive_ && segment[3 + 2 * n] >> 4 != 0;
    if (!progressive_) return first_ == 0;
    if (first_ > last_ || last_ > 63 || (first_ > 0 && n != 1) || (first_ == 0 && last_ != 0)) return false;
    for (int k = first_; k <= last_; ++k)
      for (const Part& part : parts_) part.component->shift[static_cast<std::size_t>(k)] = segment[3 + 2 * n] & 15;
    return true;
  }

  const char* scan(JpegBits& bits) {
    const bool alone = parts_.size() == 1;
    const Index width = alone ? parts_[0].component->own_width : units_across_;
    const Index height = alone ? parts_[0].component->own_height : units_down_;
    for (const Part& part : parts_) {
      const bool needs_dc = first_ == 0 && !refines_;
      const bool needs_ac = last_ > 0;
      if ((needs_dc && !part.dc->built()) || (needs_ac && !part.ac->built())) return "a Huffman table is missing";
      part.component->seen = true;
    }
    run_ = 0;
    Index until_restart = restart_;
    int number = 0;
    for (Index y = 0; y < height; ++y) {
      for (Index x = 0; x < width; ++x) {
        if (restart_ != 0 && until_restart-- == 0) {
          if (bits.surplus() || run_ != 0) return late;
          if (!bits.restart(number)) return "a restart marker is missing";
          number = (number + 1) % 8;
          until_restart = restart_ - 1;
        }
        for (const Part& part : parts_) {
          Component& c = *part.component;
          for (Index v = 0; v < (alone ? 1 : c.down); ++v)
            for (Index u = 0; u < (alone ? 1 : c.across); ++u) {
              const Index row = alone ? y : y * c.down + v;
              const Index column = alone ? x : x * c.across + u;
              if (!block(bits, part, row * c.stride + column)) return bits.overrun() ? early : impossible;
              if (bits.overrun()) return early;
            }
        }
      }
    }
    return bits.surplus() || run_ != 0 ? late : nullptr;
  }

  bool block(JpegBits& bits, const Part& part, Index index) {
    if (!progressive_) return direct(bits, *part.dc) && sequential(bits, *part.ac);
    bits.fill();
    if (first_ == 0) {
      if (!refines_) return direct(bits, *part.dc);
      bits.skip(1);
      return true;
    }
    std::uint64_t& not_zero = part.component->not_zero[static_cast<std::size_t>(index)];
    return refines_ ? refined(bits, *part.ac, not_zero) : begun(bits, *part.ac, not_zero);
  }

  /// Walks a DC difference: the number of its bits, then the bits.
  static bool direct(JpegBits& bits, const JpegCodes& codes) {
    bits.fill();
    const int size = codes.next(bits);
    if (size < 0 || size > 11) return false;
    bits.skip(size);
    return true;
  }

  /// Walks all AC coefficients of a block.
  static bool sequential(JpegBits& bits, const JpegCodes& codes) {
    for (int k = 1; k < 64; ++k) {
      bits.fill();
      const int symbol = codes.next(bits);
      if (symbol <= 0) return symbol == 0;
      const int size = symbol & 15;
      if (size > 10 || (size == 0 && symbol != 0xF0)) return false;
      k += symbol >> 4;
      if (k > 63) return false;
      bits.skip(size);
    }
    return true;
  }

  /// Begins a run of blocks without further coefficients, of which the current block is the first.
  void begin_run(JpegBits& bits, int size) {
    bits.fill();
    run_ = (std::int32_t{1} << size) + (size > 0 ? static_cast<std::int32_t>(bits.take_bits(size)) : 0);
  }

  /// Walks the first scan of some AC coefficients of a progressive block.
  bool begun(JpegBits& bits, const JpegCodes& codes, std::uint64_t& not_zero) {
    if (run_ > 0) return --run_ >= 0;
    for (int k = first_; k <= last_; ++k) {
      bits.fill();
      const int symbol = codes.next(bits);
      if (symbol < 0) return false;
      const int size = symbol & 15;
      if (size == 0 && symbol != 0xF0) {
        begin_run(bits, symbol >> 4);
        return --run_ >= 0;
      }
      k += symbol >> 4;
      if (size > 10 || k > last_) return false;
      bits.skip(size);
      if (size != 0) not_zero |= std::uint64_t{1} << k;
    }
    return true;
  }

  /// Walks a refining scan of a progressive block: one more bit for AC coefficients that were not zero, and new ones.
  bool refined(JpegBits& bits, const JpegCodes& codes, std::uint64_t& not_zero) {
    const std::uint64_t before = not_zero;
    int k = first_;
    while (run_ == 0 && k <= last_) {
      bits.fill();
      const int symbol = codes.next(bits);
      if (symbol < 0) return false;
      int zeros = symbol >> 4;
      const int size = symbol & 15;
      if (size > 1) return false;
      if (size == 0 && zeros < 15) {
        begin_run(bits, zeros);
        break;
      }
      bits.skip(size);  // the sign of a new coefficient
      for (; k <= last_; ++k) {
        if ((before >> k & 1) != 0) {
          bits.fill();
          bits.skip(1);
        } else if (zeros-- == 0) {
          break;
        }
      }
      if (k > last_) return size == 0;
      if (size != 0) not_zero |= std::uint64_t{1} << k;
      ++k;
    }
    if (run_ == 0) return true;
    for (; k <= last_; ++k) {
      if ((before >> k & 1) == 0) continue;
      bits.fill();
      bits.skip(1);
    }
    return --run_ >= 0;
  }

  /// Returns what the scans left out of the image, or null.
  [[nodiscard]] const char* unfinished() const {
    for (const Component& c : components_) {
      if (!c.seen || (progressive_ && c.shift[0] < 0)) return "one of its channels has no coded data";
      if (std::any_of(c.shift.begin(), c.shift.end(), [](int shift) { return shift > 0; }))
        return "the scans that refine it are missing";
    }
    return nullptr;
  }

  std::span<const std::uint8_t> bytes_;
  std::array<std::array<JpegCodes, 4>, 2> codes_{};  ///< indexed by class: 0 DC, 1 AC
  std::vector<Component> components_;
  std::vector<Part> parts_;  ///< of the current scan
  Index units_across_ = 0;
  Index units_down_ = 0;
  Index restart_ = 0;
  bool progressive_ = false;
  bool refines_ = false;
  int first_ = 0;  ///< first coefficient of the current scan
  int last_ = 63;
  std::int32_t run_ = 0;  ///< remaining blocks without further coefficients
};

/// Returns what is wrong with the coded data of a JPEG, or null. Walks a megabyte in a few milliseconds.
[[nodiscard]] inline const char* jpeg_scan_flaw(std::span<const std::uint8_t> bytes) { return JpegScans(bytes).flaw(); }

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr

/// Emulator: records which threads accessed an element of memory, and when, to detect races.
#pragma once

#include <array>
#include <memory>
#include <unordered_map>

#include "adtr/backend/cuda/emulator/fault.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::emulator {

/// An epoch lasts from one barrier to the next. Epochs are counted over all blocks of all launches, so that an epoch
/// identifies its launch and its block, and records need no reset.
struct Epochs {
  std::uint32_t now = 0;
  std::uint32_t block = 0;   ///< the first epoch of the running block
  std::uint32_t launch = 0;  ///< the first epoch of the running launch
};

/// The last accesses to one element.
struct Touched {
  std::uint32_t written = 0;  ///< epoch of the last write
  std::uint32_t read = 0;     ///< epoch of the last read
  std::uint16_t writer = 0;
  std::uint16_t reader = 0;
  bool readers = false;    ///< other threads than `reader` have read in the epoch `read`
  bool elsewhere = false;  ///< earlier blocks of the same launch have read, too

  /// Whether a read now could see, or miss, an unordered write by another thread.
  [[nodiscard]] bool read_races(const Epochs& e, int thread) const {
    return written >= e.launch && (written < e.block || (written == e.now && writer != thread));
  }
  [[nodiscard]] bool write_races(const Epochs& e, int thread) const {
    return read_races(e, thread) || (read >= e.launch && (elsewhere || read < e.block)) ||
           (read == e.now && (readers || reader != thread));
  }
  void note_read(const Epochs& e, int thread) {
    elsewhere = read >= e.launch && (elsewhere || read < e.block);
    readers = read == e.now && (readers || reader != thread);
    read = e.now;
    reader = static_cast<std::uint16_t>(thread);
  }
  void note_write(const Epochs& e, int thread) {
    written = e.now;
    writer = static_cast<std::uint16_t>(thread);
  }
};

/// The access records of global memory, in pieces of 256 bytes that are created on first access.
class GlobalMemory {
 public:
  /// The record of an element, which must have at least four bytes.
  [[nodiscard]] Touched& at(const void* address) {
    const auto place = reinterpret_cast<std::uintptr_t>(address);
    const std::uintptr_t number = place / 256;
    Recent& recent = recent_[number % recent_.size()];
    if (recent.piece == nullptr || recent.number != number) {
      auto& piece = pieces_[number];
      if (piece == nullptr) piece = std::make_unique<Piece>();
      recent = {number, piece.get()};
    }
    return (*recent.piece)[place / 4 % 64];
  }
  /// Called between launches: frees the records if there are many.
  void trim() {
    if (pieces_.size() < 65536) return;
    pieces_.clear();
    recent_.fill({});
  }

 private:
  using Piece = std::array<Touched, 64>;
  struct Recent {
    std::uintptr_t number = 0;
    Piece* piece = nullptr;
  };
  std::unordered_map<std::uintptr_t, std::unique_ptr<Piece>> pieces_;
  std::array<Recent, 4096> recent_{};
};

}  // namespace cuda::emulator
}  // namespace ADTR_ABI
}  // namespace adtr

/// Emulator: who touched an element of memory, and when; what of that is a race.
#pragma once

#include <array>
#include <memory>
#include <unordered_map>

#include "adtr/backend/cuda/emulator/fault.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::emulator {

/// Epochs are counted from barrier to barrier, over all blocks of all launches. So an epoch tells which launch and
/// which block it was in, and nothing is ever reset.
struct Epochs {
  std::uint32_t now = 0;
  std::uint32_t block = 0;   ///< the first of the block that is running
  std::uint32_t launch = 0;  ///< the first of the launch
};

/// Who touched one element last.
struct Touched {
  std::uint32_t written = 0;  ///< epoch of the last write
  std::uint32_t read = 0;     ///< epoch of the last read
  std::uint16_t writer = 0;
  std::uint16_t reader = 0;
  bool readers = false;    ///< more threads than `reader` have read in that epoch
  bool elsewhere = false;  ///< blocks before that of the last read have read in its launch

  /// Whether another thread's write may be missed or seen by a read now.
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

/// What kernels touched of global memory, in pieces of 256 bytes that are made when they are.
class GlobalMemory {
 public:
  /// For an element of at least four bytes.
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
  /// Between launches: gives memory back when there is much.
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

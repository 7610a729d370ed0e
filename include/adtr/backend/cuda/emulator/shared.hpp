/// Emulator: shared memory that records which threads read and wrote it since the last barrier.
#pragma once

#include <array>
#include <vector>

#include "adtr/backend/cuda/emulator/touched.hpp"
#include "adtr/core/ceil_div.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::emulator {

/// A kernel's handle to an array of shared memory.
template <class T>
struct Shared {
  T* data = nullptr;
  Touched* touched = nullptr;
  int size = 0;
  int slot = 0;
};

/// The shared arrays of a block. The next block reuses their memory; epochs tell which values an earlier block left.
class SharedMemory {
 public:
  static constexpr std::size_t limit = 48 * 1024;  ///< bytes that every GPU grants without an opt-in
  static constexpr int most = 8;

  /// Forgets the arrays of the last launch.
  void clear() {
    for (Array& array : arrays_) array.size = 0;
  }

  /// Array number `slot`; null if it was requested before with another size or another size of elements.
  template <class T>
  [[nodiscard]] Shared<T> get(int slot, int size) {
    Array& array = arrays_[static_cast<std::size_t>(slot)];
    if (array.size == 0) {
      array.size = size;
      array.element = sizeof(T);
      array.memory.resize(ceil_div(static_cast<std::size_t>(size) * sizeof(T), sizeof(Quad)));
      array.touched.assign(static_cast<std::size_t>(size), {});
    }
    if (array.size != size || array.element != sizeof(T)) return {};
    return {reinterpret_cast<T*>(array.memory.data()), array.touched.data(), size, slot};
  }

  [[nodiscard]] std::size_t bytes() const {
    std::size_t sum = 0;
    for (const Array& array : arrays_) sum += static_cast<std::size_t>(array.size) * array.element;
    return sum;
  }

 private:
  struct Array {
    std::vector<Quad> memory;
    std::vector<Touched> touched;
    int size = 0;
    std::size_t element = 0;
  };
  std::array<Array, most> arrays_;
};

}  // namespace cuda::emulator
}  // namespace ADTR_ABI
}  // namespace adtr

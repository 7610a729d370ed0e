/// Emulator: a kernel's interface to its thread; every access is checked. Mirrors device::Thread.
#pragma once

#include <bit>
#include <cstring>

#include "adtr/backend/cuda/emulator/block.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::emulator {

class Thread {
 public:
  Thread(Block& block, int thread) : block_(block), thread_(thread) {}

  [[nodiscard]] int thread() const { return thread_; }
  [[nodiscard]] int lane() const { return thread_ % warp; }
  [[nodiscard]] int warp_index() const { return thread_ / warp; }
  [[nodiscard]] Index block_x() const { return block_.index().x; }
  [[nodiscard]] Index block_y() const { return block_.index().y; }
  [[nodiscard]] Index block_z() const { return block_.index().z; }
  [[nodiscard]] Index blocks_x() const { return block_.grid().x; }

  // ---- global memory ----

  template <class T>
  [[nodiscard]] std::remove_const_t<T> load(VectorView<T> v, Index i, Line line = Line::here()) const {
    return *read(element(v, i, line), line);
  }
  template <class T>
  void store(VectorView<T> v, Index i, T value, Line line = Line::here()) const {
    *written(element(v, i, line), line) = value;
  }
  template <class T>
  [[nodiscard]] std::remove_const_t<T> load(MatrixView<T> m, Index r, Index c, Line line = Line::here()) const {
    return *read(element(m, r, c, line), line);
  }
  template <class T>
  void store(MatrixView<T> m, Index r, Index c, T value, Line line = Line::here()) const {
    *written(element(m, r, c, line), line) = value;
  }
  template <class T>
  [[nodiscard]] std::remove_const_t<T> load(MapView<T> m, Index n, Index y, Index x, Index c,
                                            Line line = Line::here()) const {
    if (outside(n, m.batch) || outside(y, m.height) || outside(x, m.width) || outside(c, m.channels))
      out_of_bounds("(" + list(n, y, x, c) + ") of a map (" + list(m.batch, m.height, m.width, m.channels) + ")",
                    m.pixel(n, y, x) + c, line);
    return *read(m.pixel(n, y, x) + c, line);
  }

  // ---- shared memory ----

  /// Array number `Slot` of the kernel: N elements of T, shared by all threads of the block.
  template <class T, int N, int Slot>
  [[nodiscard]] Shared<T> shared(Line line = Line::here()) const {
    static_assert(Slot < SharedMemory::most && std::is_trivially_copyable_v<T>);
    const Shared<T> array = block_.shared().template get<T>(Slot, N);
    if (array.data == nullptr)
      block_.fail(FaultKind::launch, thread_, line,
                  "shared array " + std::to_string(Slot) + " is requested with two lengths or two sizes of elements.");
    if (const std::size_t bytes = block_.shared().bytes(); bytes > SharedMemory::limit)
      block_.fail(FaultKind::launch, thread_, line, std::to_string(bytes) + " bytes of shared memory.");
    return array;
  }
  template <class T>
  [[nodiscard, gnu::always_inline]] T load(const Shared<T>& s, int i, Line line = Line::here()) const {
    if (outside(i, s.size)) [[unlikely]]
      bad_index(s, i, line);
    Touched& t = s.touched[i];
    const Epochs& e = block_.epochs();
    if (t.written == e.now ? t.writer != thread_ : t.written < e.block) [[unlikely]]
      bad_read(s, i, line);
    t.note_read(e, thread_);
    return s.data[i];
  }
  template <class T>
  [[gnu::always_inline]] void store(const Shared<T>& s, int i, std::type_identity_t<T> value,
                                    Line line = Line::here()) const {
    if (outside(i, s.size)) [[unlikely]]
      bad_index(s, i, line);
    Touched& t = s.touched[i];
    const Epochs& e = block_.epochs();
    // Accesses by earlier blocks cannot race: each block has shared memory of its own.
    if ((t.written == e.now && t.writer != thread_) || (t.read == e.now && (t.readers || t.reader != thread_)))
        [[unlikely]]
      bad_write(s, i, line);
    t.note_write(e, thread_);
    s.data[i] = value;
  }
  /// Loads elements [i, i + 4); i must be a multiple of 4.
  [[nodiscard, gnu::always_inline]] Quad load4(const Shared<float>& s, int i, Line line = Line::here()) const {
    if (i % 4 != 0)
      block_.fail(FaultKind::misaligned, thread_, line,
                  "loads a Quad from element " + name(s, i) + "; its index must be a multiple of 4.");
    Quad q{};
    for (int j = 0; j < 4; ++j) q.v[j] = load(s, i + j, line);
    return q;
  }

  // ---- rendezvous ----

  /// Waits for all threads of the block, and makes their writes visible to each other.
  void barrier(Line line = Line::here()) const { block_.barrier(thread_, line); }

  /// Returns the value that lane `lane() ^ mask` of the warp passes; all 32 lanes must call it.
  template <class T>
  [[nodiscard]] T shuffle_xor(T value, int mask, Line line = Line::here()) const {
    static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>);
    Passed passed{};
    std::memcpy(passed.data(), &value, sizeof value);
    const auto& lanes = block_.exchange(thread_, passed, Block::State::at_shuffle, line);
    std::memcpy(&value, lanes[static_cast<std::size_t>((lane() ^ mask) % warp)].data(), sizeof value);
    return value;
  }

  // ---- tensor cores ----

  /// Rounds neighbours in k to Format, and packs them into a word.
  template <class Format>
  [[nodiscard]] Word pack(const float (&x)[Format::values]) const {
    return emulator::pack(Format{}, x);
  }
  /// c += a·b over the warp's fragments; all 32 lanes must call it.
  template <class Format>
  void mma(Fragments::C& c, const Fragments::A& a, const Fragments::B& b, Line line = Line::here()) const {
    const auto& lanes = block_.exchange(thread_, {a[0], a[1], a[2], a[3], b[0], b[1]}, Block::State::at_mma, line);
    multiply_fragments<Format>(lanes, lane(), c);
  }

 private:
  [[nodiscard]] static bool outside(Index i, Index size) {
    return static_cast<std::size_t>(i) >= static_cast<std::size_t>(size);
  }
  template <class... Numbers>
  [[nodiscard]] static std::string list(Numbers... i) {
    std::string text;
    ((text += (text.empty() ? "" : ", ") + std::to_string(i)), ...);
    return text;
  }
  [[noreturn, gnu::noinline]] void out_of_bounds(const std::string& what, const void* address, Line line) const {
    block_.fail(FaultKind::out_of_bounds, thread_, line, "element " + what + ", address " + hexadecimal(address) + ".");
  }

  template <class T>
  [[nodiscard]] T* element(VectorView<T> v, Index i, Line line) const {
    if (outside(i, v.size)) out_of_bounds(list(i) + " of a vector of " + list(v.size), v.data + i, line);
    return v.data + i;
  }
  template <class T>
  [[nodiscard]] T* element(MatrixView<T> m, Index r, Index c, Line line) const {
    if (outside(r, m.rows) || outside(c, m.cols))
      out_of_bounds("(" + list(r, c) + ") of a matrix (" + list(m.rows, m.cols) + ")", m.row(r) + c, line);
    return m.row(r) + c;
  }

  /// Checks and records a read of global memory. Blocks run in any order, so within a launch no block may access what
  /// another one writes.
  template <class T>
  [[nodiscard]] const T* read(const T* address, Line line) const {
    Touched& t = block_.global(address, thread_, line);
    if (t.read_races(block_.epochs(), thread_)) [[unlikely]]
      global_race("reads", address, line);
    t.note_read(block_.epochs(), thread_);
    return address;
  }
  template <class T>
  [[nodiscard]] T* written(T* address, Line line) const {
    Touched& t = block_.global(address, thread_, line);
    if (t.write_races(block_.epochs(), thread_)) [[unlikely]]
      global_race("writes", address, line);
    t.note_write(block_.epochs(), thread_);
    return address;
  }
  [[noreturn, gnu::noinline]] void global_race(const char* what, const void* address, Line line) const {
    block_.fail(FaultKind::race, thread_, line,
                std::string(what) + " address " + hexadecimal(address) +
                    ", which another thread has touched in this launch, in another block or since the last barrier.");
  }

  template <class T>
  [[nodiscard]] static std::string name(const Shared<T>& s, int i) {
    return list(i) + " of shared array " + list(s.slot) + " of " + list(s.size);
  }
  template <class T>
  [[noreturn, gnu::noinline]] void bad_index(const Shared<T>& s, int i, Line line) const {
    out_of_bounds(name(s, i), s.data + i, line);
  }
  template <class T>
  [[noreturn, gnu::noinline]] void bad_read(const Shared<T>& s, int i, Line line) const {
    if (s.touched[i].written == block_.epochs().now) race(s, i, "reads", s.touched[i].writer, line);
    block_.fail(FaultKind::uninitialised, thread_, line,
                "reads element " + name(s, i) + ", which no thread has written.");
  }
  template <class T>
  [[noreturn, gnu::noinline]] void bad_write(const Shared<T>& s, int i, Line line) const {
    const Touched& t = s.touched[i];
    race(s, i, "writes",
         t.written == block_.epochs().now && t.writer != thread_ ? t.writer
         : t.readers                                             ? -1
                                                                 : t.reader,
         line);
  }
  template <class T>
  [[noreturn]] void race(const Shared<T>& s, int i, const char* what, int other, Line line) const {
    const std::string who = other < 0 ? "other threads have" : "thread " + std::to_string(other) + " has";
    block_.fail(FaultKind::race, thread_, line,
                what + (" element " + name(s, i)) + ", address " + hexadecimal(s.data + i) + ", which " + who +
                    " touched since the last barrier.");
  }

  Block& block_;
  int thread_;
};

}  // namespace cuda::emulator
}  // namespace ADTR_ABI
}  // namespace adtr

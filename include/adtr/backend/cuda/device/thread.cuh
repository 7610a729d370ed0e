/// CUDA: a kernel's interface to its thread on a GPU. Mirrors emulator::Thread without the checks, and costs nothing.
#pragma once

#include "adtr/backend/cuda/fragments.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::device {

/// An array of shared memory.
template <class T>
struct Shared {
  T* data;
};

struct Thread {
  [[nodiscard]] ADTR_DEVICE int thread() const { return static_cast<int>(threadIdx.x); }
  [[nodiscard]] ADTR_DEVICE int lane() const { return thread() % warp; }
  [[nodiscard]] ADTR_DEVICE int warp_index() const { return thread() / warp; }
  [[nodiscard]] ADTR_DEVICE Index block_x() const { return static_cast<Index>(blockIdx.x); }
  [[nodiscard]] ADTR_DEVICE Index block_y() const { return static_cast<Index>(blockIdx.y); }
  [[nodiscard]] ADTR_DEVICE Index block_z() const { return static_cast<Index>(blockIdx.z); }
  [[nodiscard]] ADTR_DEVICE Index blocks_x() const { return static_cast<Index>(gridDim.x); }

  // ---- global memory ----

  template <class T>
  [[nodiscard]] ADTR_DEVICE std::remove_const_t<T> load(VectorView<T> v, Index i) const {
    return v.data[i];
  }
  template <class T>
  ADTR_DEVICE void store(VectorView<T> v, Index i, T value) const {
    v.data[i] = value;
  }
  template <class T>
  [[nodiscard]] ADTR_DEVICE std::remove_const_t<T> load(MatrixView<T> m, Index r, Index c) const {
    return m.data[r * m.stride + c];
  }
  template <class T>
  ADTR_DEVICE void store(MatrixView<T> m, Index r, Index c, T value) const {
    m.data[r * m.stride + c] = value;
  }
  template <class T>
  [[nodiscard]] ADTR_DEVICE std::remove_const_t<T> load(MapView<T> m, Index n, Index y, Index x, Index c) const {
    return m.pixel(n, y, x)[c];
  }

  // ---- shared memory ----

  template <class T, int N, int Slot>
  [[nodiscard]] ADTR_DEVICE Shared<T> shared() const {
    // Each combination of template parameters has its own array, so two arrays of a kernel must differ in Slot.
    __shared__ __align__(16) T memory[N];
    return {memory};
  }
  template <class T>
  [[nodiscard]] ADTR_DEVICE T load(Shared<T> s, int i) const {
    return s.data[i];
  }
  template <class T>
  ADTR_DEVICE void store(Shared<T> s, int i, std::type_identity_t<T> value) const {
    s.data[i] = value;
  }
  [[nodiscard]] ADTR_DEVICE Quad load4(Shared<float> s, int i) const {
    return *reinterpret_cast<const Quad*>(s.data + i);
  }

  // ---- rendezvous ----

  ADTR_DEVICE void barrier() const { __syncthreads(); }
  template <class T>
  [[nodiscard]] ADTR_DEVICE T shuffle_xor(T value, int mask) const {
    return __shfl_xor_sync(0xFFFFFFFFU, value, mask);
  }

  // ---- tensor cores ----
  // This code also compiles for GPUs without tensor cores, but traps in mma(); the host never launches it there.

  template <class Format>
  [[nodiscard]] ADTR_DEVICE Word pack([[maybe_unused]] const float (&x)[Format::values]) const {
    Word word = 0;
#if __CUDA_ARCH__ >= 800
    if constexpr (Format::values == 1)
      asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(word) : "f"(x[0]));
    else
      asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(x[Format::values - 1]), "f"(x[0]));
#endif
    return word;
  }
  template <class Format>
  ADTR_DEVICE void mma([[maybe_unused]] Fragments::C& c, [[maybe_unused]] const Fragments::A& a,
                       [[maybe_unused]] const Fragments::B& b) const {
#if __CUDA_ARCH__ >= 800
    if constexpr (Format::values == 1)
      asm volatile(
          "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
          "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
          : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
          : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    else
      asm volatile(
          "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
          "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
          : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
          : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    __trap();
#endif
  }
};

}  // namespace cuda::device
}  // namespace ADTR_ABI
}  // namespace adtr

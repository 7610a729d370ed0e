/// CUDA: what a kernel sees of its thread on a GPU. Mirrors emulator::Thread, without the checks: it costs nothing.
#pragma once

#include "adtr/backend/cuda/execution.hpp"

namespace adtr::inline ADTR_ABI::cuda::device {

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
    // One for each combination of parameters: two arrays of a kernel differ in Slot.
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
};

}  // namespace adtr::inline ADTR_ABI::cuda::device

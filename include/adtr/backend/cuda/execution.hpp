/// CUDA: the building blocks of kernels, for nvcc and for any other compiler.
///
/// A kernel is a type with a name, a number of threads per block and a function `run(cx, arguments...)`. It gets all
/// services of a GPU through `cx`: indices, memory, barriers, shuffles. On a GPU, cx is a `device::Thread`, whose
/// functions cost nothing; elsewhere it is an `emulator::Thread`, which checks every call. Pointers come with sizes
/// (VectorView, MatrixView, MapView), so that the emulator detects accesses out of bounds.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include "adtr/core/ceil_div.hpp"
#include "adtr/core/error.hpp"
#include "adtr/core/view.hpp"

#if defined(__CUDACC__)
#define ADTR_DEVICE __device__ __forceinline__
#define ADTR_UNROLLED _Pragma("unroll")
#else
#define ADTR_DEVICE inline
#define ADTR_UNROLLED
#endif

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda {

inline constexpr int warp = 32;

/// The number of blocks of a launch in each dimension, or the index of a block.
struct Grid {
  Index x = 1;
  Index y = 1;
  Index z = 1;
};

/// The number of blocks for `items` items, with `each` items per block.
[[nodiscard]] constexpr Index blocks(Index items, Index each) { return ceil_div(items, each); }

/// A vector of `size` elements; null means that there is no vector.
template <class T>
struct VectorView {
  T* data = nullptr;
  Index size = 0;

  constexpr VectorView() = default;
  constexpr VectorView(T* d, Index n) : data(d), size(d == nullptr ? 0 : n) {}
};

/// Four neighbouring floats, read by one instruction.
struct alignas(16) Quad {
  float v[4];
};

namespace detail {
template <class T, int... N>
struct ArrayOf {
  using Type = T;
};
template <class T, int N, int... More>
struct ArrayOf<T, N, More...> {
  using Type = typename ArrayOf<T, More...>::Type[static_cast<std::size_t>(N)];
};
}  // namespace detail

/// T[N]…[N], which a thread keeps in registers. (With plain arrays, g++ warns of signs if a bound is a dependent int.)
template <class T, int... N>
using Array = typename detail::ArrayOf<T, N...>::Type;

/// The number of elements of a matrix. Throws Error if it exceeds the 31 bits that kernels count with.
[[nodiscard]] inline Index elements(Index rows, Index cols) {
  constexpr Index max_elements = (std::numeric_limits<std::int32_t>::max)();
  if (rows > 0 && cols > max_elements / rows)
    throw Error("an operation on the cuda backend takes at most " + std::to_string(max_elements) + " elements, not " +
                    std::to_string(rows) + " times " + std::to_string(cols) + ".",
                ErrorCode::shape);
  return rows * cols;
}

}  // namespace cuda
}  // namespace ADTR_ABI
}  // namespace adtr

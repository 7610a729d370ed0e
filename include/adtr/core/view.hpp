/// Views of memory that another object owns. The operations of a backend take them.
#pragma once

#include <type_traits>

#include "adtr/core/extents.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// A (rows, cols) matrix, row-major, rows `stride` elements apart.
template <class T>
struct MatrixView {
  T* data = nullptr;
  Index rows = 0;
  Index cols = 0;
  Index stride = 0;

  constexpr MatrixView() = default;
  constexpr MatrixView(T* d, Index r, Index c) : MatrixView(d, r, c, c) {}
  constexpr MatrixView(T* d, Index r, Index c, Index s) : data(d), rows(r), cols(c), stride(s) {}
  /// A mutable view converts to a read-only view.
  template <class U>
  requires std::is_same_v<const U, T>
  constexpr MatrixView(const MatrixView<U>& other) : MatrixView(other.data, other.rows, other.cols, other.stride) {}

  [[nodiscard]] constexpr T* row(Index r) const { return data + r * stride; }
  /// Rows [first, first + count).
  [[nodiscard]] constexpr MatrixView row_range(Index first, Index count) const {
    return {row(first), count, cols, stride};
  }
  /// Columns [first, first + count).
  [[nodiscard]] constexpr MatrixView columns(Index first, Index count) const {
    return {data + first, rows, count, stride};
  }
};

/// Feature maps of a batch of images, (batch, height, width, channels), channels last. Pixels are `stride` elements
/// apart, so that a map can be a slice of the channels of a wider one; rows and images follow without gaps.
template <class T>
struct MapView {
  T* data = nullptr;
  Index batch = 0;
  Index height = 0;
  Index width = 0;
  Index channels = 0;
  Index stride = 0;

  constexpr MapView() = default;
  constexpr MapView(T* d, Index n, Index h, Index w, Index c) : MapView(d, n, h, w, c, c) {}
  constexpr MapView(T* d, Index n, Index h, Index w, Index c, Index s)
      : data(d), batch(n), height(h), width(w), channels(c), stride(s) {}
  template <class U>
  requires std::is_same_v<const U, T>
  constexpr MapView(const MapView<U>& other)
      : MapView(other.data, other.batch, other.height, other.width, other.channels, other.stride) {}

  [[nodiscard]] constexpr Index pixels() const { return batch * height * width; }
  [[nodiscard]] constexpr T* pixel(Index n, Index y, Index x) const {
    return data + ((n * height + y) * width + x) * stride;
  }
  /// The map of one image.
  [[nodiscard]] constexpr MapView image(Index n) const {
    return {data + n * height * width * stride, 1, height, width, channels, stride};
  }
  [[nodiscard]] constexpr MapView images(Index first, Index count) const {
    return {data + first * height * width * stride, count, height, width, channels, stride};
  }
  /// The same memory as a matrix of one row per pixel.
  [[nodiscard]] constexpr MatrixView<T> matrix() const { return {data, pixels(), channels, stride}; }
};

/// The maps of `batch` images of shape E that lie at `data`.
template <class E, class T>
[[nodiscard]] constexpr MapView<T> map_view(T* data, Index batch) {
  return {data, batch, E::height, E::width, E::channels};
}

}  // namespace ADTR_ABI
}  // namespace adtr

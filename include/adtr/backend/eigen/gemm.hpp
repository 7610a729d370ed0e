/// Eigen backend: matrix products and dense convolution.
///
/// The order in which Eigen adds the terms of an element depends on the shapes of the operands and, outside full
/// register tiles, on the position of the element. So products are computed in blocks whose number of rows is a
/// multiple of a tile's, with rows of zeros after the last. Then a row's bits do not depend on the rows above and below
/// it.
#pragma once

#include "adtr/backend/eigen/elements.hpp"
#include "adtr/core/ceil_div.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace eigen {

struct Gemm {
  /// The matrix b, stored as (inputs, outputs).
  struct Packed {
    Buffer<float> values;
    Index inputs = 0;
    Index outputs = 0;
    [[nodiscard]] MatrixView<const float> matrix() const { return {values.data(), inputs, outputs}; }
  };

  static void pack(const Context&, MatrixView<const float> w, Packed& packed) {
    reshape(packed, w.cols, w.rows).noalias() = as_eigen(w).transpose();
  }

  static void pack_transposed(const Context&, MatrixView<const float> w, Packed& packed) {
    reshape(packed, w.rows, w.cols).noalias() = as_eigen(w);
  }

  static void multiply(const Context& context, MatrixView<const float> a, const Packed& b,
                       const Epilogue<float>& epilogue, MatrixView<float> c) {
    gemm(context, b, epilogue, c, [&](Index first, Index count, Index padded, float* room) {
      const MatrixView<const float> rows(a.row(first), count, a.cols, a.stride);
      if (count == padded) return rows;
      const MatrixView<float> copy(room, padded, a.cols);
      for (Index r = 0; r < count; ++r) std::copy_n(rows.row(r), a.cols, copy.row(r));
      std::fill(copy.row(count), copy.row(padded), 0.0F);
      return MatrixView<const float>(copy);
    });
  }

  static void accumulate_weight_gradient(const Context& context, MatrixView<const float> dy, MatrixView<const float> x,
                                         MatrixView<float> dw) {
    for_each_piece(context, dw.rows, row_block, [&](Index first, Index count) {
      as_eigen(MatrixView<float>(dw.row(first), count, dw.cols, dw.stride)).noalias() +=
          as_eigen(dy.columns(first, count)).transpose() * as_eigen(x);
    });
  }

  static void accumulate_column_sums(const Context& context, MatrixView<const float> a, float* sums) {
    accumulate_columns(context, a.rows, a.cols, sums, [a](Index r, Index c) { return a.row(r)[c]; });
  }

  /// Gathers the pixels under each window as a row, and multiplies the rows by w.
  static void convolve(const Context& context, MapView<const float> x, const Window& window, const Packed& w,
                       const Epilogue<float>& epilogue, MapView<float> y) {
    gemm(context, w, epilogue, y.matrix(), [&](Index first, Index count, Index padded, float* room) {
      const MatrixView<float> rows(room, padded, w.inputs);
      for (Index r = 0; r < count; ++r) gather(x, window, y, first + r, rows.row(r));
      std::fill(rows.row(count), rows.row(padded), 0.0F);
      return MatrixView<const float>(rows);
    });
  }

 private:
  static constexpr Index tile = 32;           // rows; more than those of products for which Eigen uses plain loops
  static constexpr Index row_block = 128;     // a multiple of tile
  static constexpr Index column_block = 192;  // a multiple of Eigen's register tiles (12, 24 or 48 columns)

  static MatrixMap reshape(Packed& packed, Index inputs, Index outputs) {
    if (packed.values.size() != inputs * outputs) packed.values = Buffer<float>(inputs * outputs);
    packed.inputs = inputs;
    packed.outputs = outputs;
    return as_eigen(MatrixView<float>(packed.values.data(), inputs, outputs));
  }

  /// c = activation(a·b + bias + residual) in blocks. `rows_of(first, count, padded, room)` returns `padded` rows: the
  /// `count` rows of a from row `first` on, then zeros. It may store them in `room`.
  template <class RowsOf>
  static void gemm(const Context& context, const Packed& b, const Epilogue<float>& epilogue, MatrixView<float> c,
                   RowsOf&& rows_of) {
    const Index column_blocks = ceil_div(c.cols, column_block);
    const Index row_blocks = ceil_div(c.rows, row_block);
    for_each(context, row_blocks * column_blocks, [&](Index task) {
      const Index row = task / column_blocks * row_block;
      const Index column = task % column_blocks * column_block;
      const Index rows = (std::min)(row_block, c.rows - row);
      const Index columns = (std::min)(column_block, c.cols - column);
      const Index padded = round_up(rows, tile);
      Arena<float> arena = scratch(padded * columns, padded * b.inputs);
      const MatrixView<float> result(arena.take(padded * columns), padded, columns);
      const MatrixView<const float> a = rows_of(row, rows, padded, arena.take(padded * b.inputs));
      as_eigen(result).noalias() = as_eigen(a) * as_eigen(b.matrix().columns(column, columns));
      for (Index r = 0; r < rows; ++r) {
        float* out = result.row(r);
        if (epilogue.bias != nullptr) add(columns, epilogue.bias + column, out);
        if (epilogue.residual.data != nullptr) add(columns, epilogue.residual.row(row + r) + column, out);
      }
      activate(result.data, rows * columns, epilogue.activation);
      for (Index r = 0; r < rows; ++r) std::copy_n(result.row(r), columns, c.row(row + r) + column);
    });
  }

  static void add(Index n, const float* __restrict x, float* __restrict y) {
    for (Index i = 0; i < n; ++i) y[i] += x[i];
  }

  /// Copies the pixels under the window of one pixel of the result, in (ky, kx, c) order.
  static void gather(MapView<const float> x, const Window& window, MapView<float> y, Index pixel, float* row) {
    const Index ox = pixel % y.width, oy = pixel / y.width % y.height, n = pixel / (y.width * y.height);
    for (Index ky = 0; ky < window.kernel; ++ky)
      for (Index kx = 0; kx < window.kernel; ++kx, row += x.channels) {
        const Index iy = oy * window.stride + ky - window.top;
        const Index ix = ox * window.stride + kx - window.left;
        if (iy < 0 || iy >= x.height || ix < 0 || ix >= x.width)
          std::fill_n(row, x.channels, 0.0F);
        else
          std::copy_n(x.pixel(n, iy, ix), x.channels, row);
      }
  }
};

}  // namespace eigen
}  // namespace ADTR_ABI
}  // namespace adtr

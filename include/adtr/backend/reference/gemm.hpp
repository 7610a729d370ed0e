/// Reference: matrix products and dense convolution.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "adtr/backend/arguments.hpp"
#include "adtr/backend/reference/activation.hpp"
#include "adtr/backend/reference/context.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace reference {

template <class T>
struct Gemm {
  /// b as (K, N): row k holds what input k contributes to each output.
  struct Packed {
    std::vector<T> values;
    Index inputs = 0;
    Index outputs = 0;
  };

  static void pack(const Context&, MatrixView<const T> w, Packed& packed) {
    packed = {std::vector<T>(static_cast<std::size_t>(w.rows * w.cols)), w.cols, w.rows};
    for (Index n = 0; n < w.rows; ++n)
      for (Index k = 0; k < w.cols; ++k) packed.values[static_cast<std::size_t>(k * w.rows + n)] = w.row(n)[k];
  }

  static void pack_transposed(const Context&, MatrixView<const T> w, Packed& packed) {
    packed = {std::vector<T>(static_cast<std::size_t>(w.rows * w.cols)), w.rows, w.cols};
    for (Index k = 0; k < w.rows; ++k)
      std::copy_n(w.row(k), w.cols, packed.values.begin() + static_cast<std::ptrdiff_t>(k * w.cols));
  }

  static void multiply(const Context&, MatrixView<const T> a, const Packed& b, const Epilogue<T>& epilogue,
                       MatrixView<T> c) {
    std::vector<double> sums(static_cast<std::size_t>(b.outputs));
    for (Index m = 0; m < a.rows; ++m) {
      std::fill(sums.begin(), sums.end(), 0.0);
      for (Index k = 0; k < b.inputs; ++k) add_row(a.row(m)[k], b, k, sums);
      store(sums, epilogue, m, c.row(m));
    }
  }

  static void accumulate_weight_gradient(const Context&, MatrixView<const T> dy, MatrixView<const T> x,
                                         MatrixView<T> dw) {
    std::vector<double> sums(static_cast<std::size_t>(x.cols));
    for (Index n = 0; n < dy.cols; ++n) {
      std::fill(sums.begin(), sums.end(), 0.0);
      for (Index m = 0; m < dy.rows; ++m)
        for (Index k = 0; k < x.cols; ++k)
          sums[static_cast<std::size_t>(k)] += static_cast<double>(dy.row(m)[n]) * static_cast<double>(x.row(m)[k]);
      for (Index k = 0; k < x.cols; ++k) dw.row(n)[k] += static_cast<T>(sums[static_cast<std::size_t>(k)]);
    }
  }

  static void accumulate_column_sums(const Context&, MatrixView<const T> a, T* sums) {
    for (Index j = 0; j < a.cols; ++j) {
      double sum = 0.0;
      for (Index i = 0; i < a.rows; ++i) sum += static_cast<double>(a.row(i)[j]);
      sums[j] += static_cast<T>(sum);
    }
  }

  static void convolve(const Context&, MapView<const T> x, const Window& window, const Packed& w,
                       const Epilogue<T>& epilogue, MapView<T> y) {
    std::vector<double> sums(static_cast<std::size_t>(w.outputs));
    for (Index n = 0; n < y.batch; ++n)
      for (Index oy = 0; oy < y.height; ++oy)
        for (Index ox = 0; ox < y.width; ++ox) {
          std::fill(sums.begin(), sums.end(), 0.0);
          for (Index ky = 0; ky < window.kernel; ++ky)
            for (Index kx = 0; kx < window.kernel; ++kx) {
              const Index iy = oy * window.stride + ky - window.top;
              const Index ix = ox * window.stride + kx - window.left;
              if (iy < 0 || iy >= x.height || ix < 0 || ix >= x.width) continue;
              const T* in = x.pixel(n, iy, ix);
              for (Index c = 0; c < x.channels; ++c)
                add_row(in[c], w, (ky * window.kernel + kx) * x.channels + c, sums);
            }
          store(sums, epilogue, (n * y.height + oy) * y.width + ox, y.pixel(n, oy, ox));
        }
  }

 private:
  static void add_row(T a, const Packed& b, Index k, std::vector<double>& sums) {
    const T* row = b.values.data() + k * b.outputs;
    for (Index n = 0; n < b.outputs; ++n)
      sums[static_cast<std::size_t>(n)] += static_cast<double>(a) * static_cast<double>(row[n]);
  }

  static void store(const std::vector<double>& sums, const Epilogue<T>& epilogue, Index m, T* out) {
    for (Index n = 0; n < static_cast<Index>(sums.size()); ++n) {
      double x = sums[static_cast<std::size_t>(n)];
      if (epilogue.bias != nullptr) x += static_cast<double>(epilogue.bias[n]);
      if (epilogue.residual.data != nullptr) x += static_cast<double>(epilogue.residual.row(m)[n]);
      out[n] = static_cast<T>(activate(x, epilogue.activation));
    }
  }
};

}  // namespace reference
}  // namespace ADTR_ABI
}  // namespace adtr

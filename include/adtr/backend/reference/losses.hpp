/// Reference: distances between features and their reconstruction, and the gradients of the losses.
#pragma once

#include <cmath>

#include "adtr/backend/arguments.hpp"
#include "adtr/backend/reference/context.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace reference {

template <class T>
struct Losses {
  static void difference_norm(const Context&, MatrixView<const T> f, MatrixView<const T> g, T* s) {
    for (Index r = 0; r < f.rows; ++r) {
      double sum = 0.0;
      for (Index c = 0; c < f.cols; ++c) {
        const double d = static_cast<double>(f.row(r)[c]) - static_cast<double>(g.row(r)[c]);
        sum += d * d;
      }
      s[r] = static_cast<T>(std::sqrt(sum));
    }
  }

  /// ‖f − ρ·g‖² / (2·‖f‖²) with ρ = ‖f‖/‖g‖, which equals 1 − f·g / (‖f‖·‖g‖) but has no cancellation where the rows
  /// are nearly parallel.
  static void cosine_distance(const Context&, MatrixView<const T> f, MatrixView<const T> g, T* s) {
    for (Index r = 0; r < f.rows; ++r) {
      const double ff = sum_of_squares(f, r), gg = sum_of_squares(g, r), ratio = std::sqrt(ff / gg);
      double sum = 0.0;
      for (Index c = 0; c < f.cols; ++c) {
        const double d = static_cast<double>(f.row(r)[c]) - ratio * static_cast<double>(g.row(r)[c]);
        sum += d * d;
      }
      if (ff == 0.0 || gg == 0.0)
        s[r] = ff == gg ? T{0} : T{1};
      else
        s[r] = static_cast<T>(0.5 * sum / ff);
    }
  }

  static void norm_gradient(const Context&, MatrixView<const T> f, MatrixView<const T> g, T scale, MatrixView<T> dg,
                            double* sum) {
    for (Index r = 0; r < f.rows; ++r)
      for (Index c = 0; c < f.cols; ++c) {
        const double d = static_cast<double>(g.row(r)[c]) - static_cast<double>(f.row(r)[c]);
        *sum += d * d;
        dg.row(r)[c] = static_cast<T>(d * static_cast<double>(scale));
      }
  }

  static void mean_difference(const Context&, MatrixView<const T> f, MatrixView<const T> g, T* m) {
    for (Index r = 0; r < f.rows; ++r) {
      double sum = 0.0;
      for (Index c = 0; c < f.cols; ++c)
        sum += std::abs(static_cast<double>(f.row(r)[c]) - static_cast<double>(g.row(r)[c]));
      m[r] = static_cast<T>(sum / static_cast<double>(f.cols));
    }
  }

  static void sign_gradient(const Context&, MatrixView<const T> f, MatrixView<const T> g, const T* w,
                            MatrixView<T> dg) {
    for (Index r = 0; r < f.rows; ++r)
      for (Index c = 0; c < f.cols; ++c) {
        const T d = g.row(r)[c] - f.row(r)[c];
        dg.row(r)[c] = d > T{0} ? w[r] : d < T{0} ? -w[r] : T{0};
      }
  }

 private:
  [[nodiscard]] static double sum_of_squares(MatrixView<const T> x, Index r) {
    double sum = 0.0;
    for (Index c = 0; c < x.cols; ++c) sum += static_cast<double>(x.row(r)[c]) * static_cast<double>(x.row(r)[c]);
    return sum;
  }
};

}  // namespace reference
}  // namespace ADTR_ABI
}  // namespace adtr

/// Eigen backend: distances between features and their reconstruction, and the gradients of the losses.
#pragma once

#include <cmath>
#include <vector>

#include "adtr/backend/eigen/elements.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace eigen {

struct Losses {
  static void difference_norm(const Context& context, MatrixView<const float> f, MatrixView<const float> g, float* s) {
    each_row(context, f.rows, [&](Index r) {
      s[r] = std::sqrt(sum<float>(f.cols, [&](Index c) {
        const float d = f.row(r)[c] - g.row(r)[c];
        return d * d;
      }));
    });
  }

  /// ‖f − ρ·g‖² / (2·‖f‖²) with ρ = ‖f‖/‖g‖; see Reference.
  static void cosine_distance(const Context& context, MatrixView<const float> f, MatrixView<const float> g, float* s) {
    each_row(context, f.rows, [&](Index r) {
      const float* const x = f.row(r);
      const float* const y = g.row(r);
      const float xx = sum<float>(f.cols, [&](Index c) { return x[c] * x[c]; });
      const float yy = sum<float>(f.cols, [&](Index c) { return y[c] * y[c]; });
      const float ratio = std::sqrt(xx / yy);
      if (xx == 0.0F || yy == 0.0F)
        s[r] = xx == yy ? 0.0F : 1.0F;
      else
        s[r] = 0.5F / xx * sum<float>(f.cols, [&](Index c) {
                 const float d = x[c] - ratio * y[c];
                 return d * d;
               });
    });
  }

  static void norm_gradient(const Context& context, MatrixView<const float> f, MatrixView<const float> g, float scale,
                            MatrixView<float> dg, double* total) {
    std::vector<double> rows(static_cast<std::size_t>(f.rows));
    each_row(context, f.rows, [&](Index r) {
      for (Index c = 0; c < f.cols; ++c) dg.row(r)[c] = (g.row(r)[c] - f.row(r)[c]) * scale;
      rows[static_cast<std::size_t>(r)] = sum<double>(f.cols, [&](Index c) {
        const double d = static_cast<double>(g.row(r)[c]) - static_cast<double>(f.row(r)[c]);
        return d * d;
      });
    });
    *total += sum<double>(f.rows, [&](Index r) { return rows[static_cast<std::size_t>(r)]; });
  }

  static void mean_difference(const Context& context, MatrixView<const float> f, MatrixView<const float> g, float* m) {
    each_row(context, f.rows, [&](Index r) {
      m[r] =
          sum<float>(f.cols, [&](Index c) { return std::abs(f.row(r)[c] - g.row(r)[c]); }) / static_cast<float>(f.cols);
    });
  }

  static void sign_gradient(const Context& context, MatrixView<const float> f, MatrixView<const float> g,
                            const float* w, MatrixView<float> dg) {
    each_row(context, f.rows, [&](Index r) {
      for (Index c = 0; c < f.cols; ++c) {
        const float d = g.row(r)[c] - f.row(r)[c];
        dg.row(r)[c] = d > 0.0F ? w[r] : d < 0.0F ? -w[r] : 0.0F;
      }
    });
  }
};

}  // namespace eigen
}  // namespace ADTR_ABI
}  // namespace adtr

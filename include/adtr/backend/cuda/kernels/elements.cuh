/// CUDA: element-wise operations.
#pragma once

#include <cmath>

#include "adtr/backend/arguments.hpp"
#include "adtr/backend/cuda/execution.hpp"
#include "adtr/backend/cuda/kernels/activation.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::kernels {

ADTR_DEVICE float sigmoid(float x) { return 1.0F / (1.0F + expf(-x)); }

/// One thread for each of rows·cols elements.
struct Elements {
  static constexpr int threads = 256;

  /// Calls fn(r, c) for the thread's element, if it has one.
  template <class Context, class F>
  ADTR_DEVICE static void each(Context& cx, Index rows, Index cols, const F& fn) {
    const auto i = static_cast<std::uint32_t>(cx.block_x()) * threads + static_cast<std::uint32_t>(cx.thread());
    const auto width = static_cast<std::uint32_t>(cols);
    if (i < static_cast<std::uint32_t>(rows) * width) fn(Index{i / width}, Index{i % width});
  }
};

struct AddPositions : Elements {
  static constexpr const char* name = "add_positions";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> x, MatrixView<const float> p, MatrixView<float> y) {
    each(cx, x.rows, x.cols, [&](Index r, Index c) {
      const auto token = static_cast<std::uint32_t>(r) % static_cast<std::uint32_t>(p.rows);
      cx.store(y, r, c, cx.load(x, r, c) + cx.load(p, Index{token}, c));
    });
  }
};

struct AccumulatePositions : Elements {
  static constexpr const char* name = "accumulate_positions";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> dy, MatrixView<float> dp) {
    each(cx, dp.rows, dp.cols, [&](Index t, Index c) {
      double sum = 0.0;
      for (Index r = t; r < dy.rows; r += dp.rows) sum += static_cast<double>(cx.load(dy, r, c));
      cx.store(dp, t, c, cx.load(dp, t, c) + static_cast<float>(sum));
    });
  }
};

struct Accumulate : Elements {
  static constexpr const char* name = "accumulate";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> x, MatrixView<float> y) {
    each(cx, x.rows, x.cols, [&](Index r, Index c) { cx.store(y, r, c, cx.load(y, r, c) + cx.load(x, r, c)); });
  }
};

struct ReluBackward : Elements {
  static constexpr const char* name = "relu_backward";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> h, float scale, MatrixView<float> dh) {
    each(cx, h.rows, h.cols,
         [&](Index r, Index c) { cx.store(dh, r, c, cx.load(h, r, c) > 0.0F ? cx.load(dh, r, c) * scale : 0.0F); });
  }
};

struct SignGradient : Elements {
  static constexpr const char* name = "sign_gradient";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> f, MatrixView<const float> g,
                              VectorView<const float> w, MatrixView<float> dg) {
    each(cx, f.rows, f.cols, [&](Index r, Index c) {
      const float d = cx.load(g, r, c) - cx.load(f, r, c), weight = cx.load(w, r);
      cx.store(dg, r, c, d > 0.0F ? weight : d < 0.0F ? -weight : 0.0F);
    });
  }
};

struct Standardise : Elements {
  static constexpr const char* name = "standardise";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<float> x, VectorView<const float> mean,
                              VectorView<const float> inverse_std) {
    each(cx, x.rows, x.cols,
         [&](Index r, Index c) { cx.store(x, r, c, (cx.load(x, r, c) - cx.load(mean, c)) * cx.load(inverse_std, c)); });
  }
};

/// y = residual + mask·x·scale. A thread evaluates one counter of Dropout::words, which serves eight elements; eight
/// threads cover 64 neighbouring elements.
struct DropElements {
  static constexpr const char* name = "dropout";
  static constexpr int threads = 256;

  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> x, Dropout dropout, float scale,
                              MatrixView<const float> residual, MatrixView<float> y) {
    const auto counter = static_cast<std::uint32_t>(cx.block_x()) * threads + static_cast<std::uint32_t>(cx.thread());
    const auto width = static_cast<std::uint32_t>(x.cols), count = static_cast<std::uint32_t>(x.rows) * width;
    const std::uint32_t first = counter / 8 * 64 + counter % 8 * 2;
    if (first >= count) return;
    const auto words = dropout.words(counter);
    ADTR_UNROLLED for (std::uint32_t j = 0; j < 8; ++j) {
      const std::uint32_t i = first + j / 2 * 16 + j % 2;
      if (i >= count) continue;
      const bool keep = (words[j / 2] >> (j % 2 * 16) & 0xFFFF) >= dropout.threshold();
      const Index r = i / width, c = i % width;
      const float base = residual.data == nullptr ? 0.0F : cx.load(residual, r, c);
      cx.store(y, r, c, base + (keep ? cx.load(x, r, c) * scale : 0.0F));
    }
  }
};

struct AdamWElements : Elements {
  static constexpr const char* name = "adamw";
  template <class Context>
  ADTR_DEVICE static void run(Context& cx, AdamWFactors a, double clip, VectorView<const double> squared_norm,
                              VectorView<float> p, VectorView<const float> g, VectorView<float> m,
                              VectorView<float> v) {
    float scale = 1.0F;
    if (clip > 0.0) {
      const double norm = sqrt(cx.load(squared_norm, 0));
      if (norm > clip) scale = static_cast<float>(clip / norm);
    }
    each(cx, p.size, 1, [&](Index i, Index) {
      const float gradient = cx.load(g, i) * scale;
      const float first = a.beta1 * cx.load(m, i) + a.rest1 * gradient;
      const float second = a.beta2 * cx.load(v, i) + a.rest2 * gradient * gradient;
      cx.store(m, i, first);
      cx.store(v, i, second);
      cx.store(p, i, cx.load(p, i) * a.decay - a.rate * first / (sqrtf(second) * a.inverse_correction + a.epsilon));
    });
  }
};

}  // namespace cuda::kernels
}  // namespace ADTR_ABI
}  // namespace adtr

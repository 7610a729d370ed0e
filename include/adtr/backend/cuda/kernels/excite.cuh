/// CUDA: the gates of squeeze-and-excitation, from the partial sums of its reduction that filters have stored.
#pragma once

#include "adtr/backend/cuda/kernels/elements.cuh"
#include "adtr/backend/cuda/kernels/sums.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::kernels {

/// gate(n, c) = sigmoid(w(c)·activation(Σ parts(n) / positions + squeezed_bias) + bias[c]). A block computes 64
/// channels of image n, its index y. Every block adds up all parts of its image: that costs a few loads per thread,
/// less than a separate launch.
struct Excite {
  static constexpr const char* name = "excite";
  static constexpr int threads = 256;
  static constexpr int warps = threads / warp;
  static constexpr int channels = 64;
  static constexpr int max_squeezed = 1024;

  template <class Context>
  ADTR_DEVICE static void run(Context& cx, MatrixView<const float> parts, Index positions,
                              VectorView<const float> squeezed_bias, Activation activation, MatrixView<const float> w,
                              VectorView<const float> bias, MatrixView<float> gate) {
    const auto squeezed = cx.template shared<float, max_squeezed, 0>();
    const Index n = cx.block_y(), first = cx.block_x() * channels;
    const Index rest = w.rows - first;
    sum_each_row<warps>(
        cx, w.cols,
        [&](Index s) { return lane_sum(cx, parts.cols, [&](Index i) { return cx.load(parts, n * w.cols + s, i); }); },
        [&](Index s, double sum) {
          const auto mean = static_cast<float>(sum / static_cast<double>(positions));
          cx.store(squeezed, static_cast<int>(s), activate(mean + cx.load(squeezed_bias, s), activation));
        });
    cx.barrier();
    sum_each_row<warps>(
        cx, rest < channels ? rest : channels,
        [&](Index i) {
          return lane_sum(cx, w.cols,
                          [&](Index s) { return cx.load(w, first + i, s) * cx.load(squeezed, static_cast<int>(s)); });
        },
        [&](Index i, double sum) {
          cx.store(gate, n, first + i, sigmoid(static_cast<float>(sum) + cx.load(bias, first + i)));
        });
  }
};

}  // namespace cuda::kernels
}  // namespace ADTR_ABI
}  // namespace adtr

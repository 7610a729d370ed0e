/// CUDA: the losses of training with anomalies.
#pragma once

#include "adtr/backend/anomaly_loss.hpp"
#include "adtr/backend/cuda/kernels/sums.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::kernels {

/// Computes the weights for sign_gradient and the parts of the loss; blocks take images in turns. In L_img a token
/// counts if fewer than `top` others precede it in descending order of φ, which takes T comparisons per token and no
/// sorting. φ increases with m, so comparing m gives the same order.
struct AnomalyWeights {
  static constexpr const char* name = "anomaly_weights";
  static constexpr int threads = 256;

  template <class Context>
  ADTR_DEVICE static void run(Context& cx, AnomalyLoss loss, MatrixView<const float> y, MatrixView<const float> m,
                              MatrixView<float> w, VectorView<double> parts) {
    const auto shared = cx.template shared<double, 1, 1>();
    double part = 0.0;
    for (Index n = cx.block_x(); n < m.rows; n += parts.size) {
      const Index top = loss.top < m.cols ? loss.top : m.cols;
      const double share = 1.0 / static_cast<double>(loss.by_label ? top : m.cols);
      double normal = 0.0, distance = 0.0, count = 0.0;
      for (Index u = cx.thread(); u < m.cols; u += threads) {
        const auto mean = static_cast<double>(cx.load(m, n, u));
        const double phi = share * adtr::detail::pseudo_huber(mean);
        const bool anomalous = cx.load(y, n, u) != 0.0F;
        count += anomalous ? 1.0 : 0.0;
        if (loss.by_label)
          distance += counts(cx, m, n, u, top) ? phi : phi - phi;  // NaN if φ is NaN
        else
          (anomalous ? distance : normal) += phi;
      }
      normal = sum_in_turn(cx, normal);
      distance = sum_in_turn(cx, distance);
      count = sum_in_turn(cx, count);
      if (cx.thread() == 0) {
        adtr::detail::Push push{0.0, 0.0};
        if (count > 0.0)
          push = adtr::detail::push_apart(distance, loss.alpha);
        else if (loss.by_label)
          push = {distance, 1.0};
        part += loss.scale * (normal + push.loss);
        cx.store(shared, 0, push.slope);
      }
      cx.barrier();
      const double slope = share * cx.load(shared, 0);
      for (Index u = cx.thread(); u < m.cols; u += threads) {
        double of_token = slope;
        if (loss.by_label)
          of_token = counts(cx, m, n, u, top) ? slope : 0.0;
        else if (cx.load(y, n, u) == 0.0F)
          of_token = share;
        const auto mean = static_cast<double>(cx.load(m, n, u));
        cx.store(w, n, u, static_cast<float>(adtr::detail::sign_weight(loss, of_token, mean)));
      }
      cx.barrier();
    }
    if (cx.thread() == 0) cx.store(parts, cx.block_x(), part);
  }

 private:
  /// Whether token u of image n is among the `top` largest; of equal tokens, the first ones count.
  template <class Context>
  ADTR_DEVICE static bool counts(Context& cx, MatrixView<const float> m, Index n, Index u, Index top) {
    const float own = cx.load(m, n, u);
    Index before = 0;
    for (Index v = 0; v < m.cols; ++v) {
      const float other = cx.load(m, n, v);
      before += other > own || (other == own && v < u) ? 1 : 0;
    }
    return before < top;
  }

  /// sum_block with a barrier after it, so that it can be called repeatedly.
  template <class Context>
  ADTR_DEVICE static double sum_in_turn(Context& cx, double value) {
    const double sum = sum_block<threads>(cx, value);
    cx.barrier();
    return sum;
  }
};

}  // namespace cuda::kernels
}  // namespace ADTR_ABI
}  // namespace adtr

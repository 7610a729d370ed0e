/// The losses for training with anomalies and their gradients, composed from backend operations.
#pragma once

#include <cassert>
#include <string>

#include "adtr/backend/backend.hpp"
#include "adtr/core/error.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Adds to *sum the loss of images with T tokens each and writes dg, its gradient with respect to g, the reconstruction
/// of f. f, g and dg are (images·T, channels). y (images, T) is 1 for anomalous tokens and 0 for others. means and
/// weights, both (images, T), are outputs. The loss is NaN if f or g has a NaN.
template <Backend B>
void anomaly_loss(const typename B::Context& context, AnomalyLoss loss, MatrixIn<B> f, MatrixIn<B> g, MatrixIn<B> y,
                  MatrixOut<B> means, MatrixOut<B> weights, MatrixOut<B> dg, double* sum) {
  assert(y.rows * y.cols == f.rows);
  if (loss.by_label && loss.top < 1)
    throw Error("image loss: expected at least 1 of the largest distances, found " + std::to_string(loss.top),
                ErrorCode::option);
  loss.channels = f.cols;
  B::mean_difference(context, f, g, means.data);
  B::anomaly_weights(context, loss, y, MatrixIn<B>(means), weights, sum);
  B::sign_gradient(context, f, g, weights.data, dg);
}

}  // namespace ADTR_ABI
}  // namespace adtr

/// The losses of training with anomalies and their gradients, of operations.
#pragma once

#include <cassert>
#include <string>

#include "adtr/backend/backend.hpp"
#include "adtr/core/error.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Adds to *sum the loss of images of T tokens each and writes its gradient dg with respect to f̂. f, f̂ and dg are
/// (images·T, channels); y, which marks anomalous tokens with 1 and others with 0, means and weights, which are
/// written, (images, T). Not a number where f or f̂ has one.
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

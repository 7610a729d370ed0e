/// Noise on the network's input in training, so that it cannot succeed by copying its input.
#pragma once

#include <cmath>

#include "adtr/core/random.hpp"
#include "adtr/core/view.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// seen = f + noise, both (rows, channels): each token gets uniform noise whose standard deviation is `jitter` times
/// the token's root mean square over its channels. After UniAD's feature jitter (You et al., "A unified model for
/// multi-class anomaly detection", NeurIPS 2022, section 3.4), whose noise is normal and whose scale of 20 is a jitter
/// of 20/√channels.
template <class T>
void add_jitter(MatrixView<const T> f, double jitter, RandomStream& random, MatrixView<T> seen) {
  for (Index r = 0; r < f.rows; ++r) {
    const T* const from = f.row(r);
    T* const to = seen.row(r);
    double squares = 0.0;
    for (Index c = 0; c < f.cols; ++c) squares += static_cast<double>(from[c]) * static_cast<double>(from[c]);
    const double half_width = jitter * std::sqrt(3.0 * squares / static_cast<double>(f.cols));
    for (Index c = 0; c < f.cols; ++c) to[c] = from[c] + static_cast<T>((2.0 * random.uniform() - 1.0) * half_width);
  }
}

}  // namespace ADTR_ABI
}  // namespace adtr

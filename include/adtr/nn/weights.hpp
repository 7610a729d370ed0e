/// Copies that layers make: of small parameters, and of what all images share.
#pragma once

#include "adtr/backend/backend.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Copies n elements within the backend's memory into `to`, which is reallocated only if its size differs.
template <Backend B>
[[gnu::noinline]] void assign(const typename B::Context& context, typename B::Memory& to,
                              const typename B::Scalar* from, Index n) {
  if (to.size() != n) to = typename B::Memory(n);
  B::copy(context, MatrixIn<B>(from, 1, n), MatrixOut<B>(to.data(), 1, n));
}

/// Copies x (tokens, C), which all images share, to every image of y (batch·tokens, C).
template <Backend B>
void repeat(const typename B::Context& context, MatrixIn<B> x, MatrixOut<B> y) {
  for (Index r = 0; r < y.rows; r += x.rows) B::copy(context, x, y.row_range(r, x.rows));
}

}  // namespace ADTR_ABI
}  // namespace adtr

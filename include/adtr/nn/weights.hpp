/// How a layer stores its parameters for a backend: small vectors as they are, matrices packed.
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

}  // namespace ADTR_ABI
}  // namespace adtr

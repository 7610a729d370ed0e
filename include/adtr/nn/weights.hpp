/// What a layer keeps of its parameters for a backend: small vectors as they are, matrices packed.
#pragma once

#include <algorithm>

#include "adtr/core/buffer.hpp"

namespace adtr::inline ADTR_ABI {

/// Copies n values into `to`, whose memory is kept where the size is the same.
template <class T>
[[gnu::noinline]] void assign(Buffer<T>& to, const T* from, Index n) {
  if (to.size() != n) to = Buffer<T>(n);
  std::copy_n(from, n, to.data());
}

}  // namespace adtr::inline ADTR_ABI

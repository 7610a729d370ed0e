/// The oracle: plain loops with double accumulation. Slow on purpose; every other backend is compared with it.
#pragma once

#include "adtr/backend/anomaly_loss.hpp"
#include "adtr/backend/backend.hpp"
#include "adtr/backend/composed.hpp"
#include "adtr/backend/host_memory.hpp"
#include "adtr/backend/reference/attention.hpp"
#include "adtr/backend/reference/gemm.hpp"
#include "adtr/backend/reference/losses.hpp"
#include "adtr/backend/reference/maps.hpp"
#include "adtr/backend/reference/nearest.hpp"
#include "adtr/backend/reference/optimiser.hpp"
#include "adtr/backend/reference/tokens.hpp"

namespace adtr {
inline namespace ADTR_ABI {

template <std::floating_point T = double>
struct Reference : reference::Gemm<T>,
                   reference::Maps<T>,
                   reference::Attentions<T>,
                   reference::Tokens<T>,
                   reference::Losses<T>,
                   reference::Nearest<T>,
                   reference::Optimiser<T>,
                   HostMemory<T>,
                   HostLosses<T>,
                   Composed<Reference<T>, T> {
  using Scalar = T;
  using Context = reference::Context;
  using Packed = typename reference::Gemm<T>::Packed;
  static constexpr const char* name = "reference";
};

static_assert(Backend<Reference<float>> && Backend<Reference<double>>);

}  // namespace ADTR_ABI
}  // namespace adtr

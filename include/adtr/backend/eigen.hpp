/// The portable backend: products through Eigen, loops for the rest. It serves processors for which the Cpu backend has
/// no vector kernels, and checks the Cpu backend independently.
///
/// Eigen's functions have the same symbols in every translation unit, so all units of a program that include this
/// header need the same -m flags. The Cpu backend has no such condition.
#pragma once

#include "adtr/backend/anomaly_loss.hpp"
#include "adtr/backend/backend.hpp"
#include "adtr/backend/composed.hpp"
#include "adtr/backend/eigen/attention.hpp"
#include "adtr/backend/eigen/gemm.hpp"
#include "adtr/backend/eigen/losses.hpp"
#include "adtr/backend/eigen/maps.hpp"
#include "adtr/backend/eigen/nearest.hpp"
#include "adtr/backend/eigen/optimiser.hpp"
#include "adtr/backend/eigen/tokens.hpp"
#include "adtr/backend/host_memory.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Not called Eigen, which would hide the namespace of that name.
struct EigenBackend : eigen::Gemm,
                      eigen::Maps,
                      eigen::Attentions,
                      eigen::Tokens,
                      eigen::Losses,
                      eigen::Nearest,
                      eigen::Optimiser,
                      HostMemory<float>,
                      HostLosses<float>,
                      Composed<EigenBackend, float> {
  using Scalar = float;
  using Context = eigen::Context;
  using Packed = eigen::Gemm::Packed;
  static constexpr const char* name = "eigen";
};

static_assert(Backend<EigenBackend>);

}  // namespace ADTR_ABI
}  // namespace adtr

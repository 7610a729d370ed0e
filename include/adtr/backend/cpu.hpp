/// The fast backend: float, hand-written kernels for AVX2 and AVX-512 chosen at run time, a thread pool.
///
/// Results are bit-identical for any number of threads and whatever else is in the batch. No operation allocates,
/// except pack, pack_transposed and pack_tokens into a Packed or a TokenBank of another size.
#pragma once

#include "adtr/backend/anomaly_loss.hpp"
#include "adtr/backend/backend.hpp"
#include "adtr/backend/cpu/attention.hpp"
#include "adtr/backend/cpu/blocks.hpp"
#include "adtr/backend/cpu/context.hpp"
#include "adtr/backend/cpu/gemm.hpp"
#include "adtr/backend/cpu/losses.hpp"
#include "adtr/backend/cpu/maps.hpp"
#include "adtr/backend/cpu/nearest.hpp"
#include "adtr/backend/cpu/optimiser.hpp"
#include "adtr/backend/cpu/packed.hpp"
#include "adtr/backend/cpu/tokens.hpp"
#include "adtr/backend/host_memory.hpp"

namespace adtr {
inline namespace ADTR_ABI {

struct Cpu : cpu::Packing,
             cpu::Gemm,
             cpu::Maps,
             cpu::Blocks,
             cpu::Attentions,
             cpu::Tokens,
             cpu::Losses,
             cpu::Nearest,
             cpu::Optimiser,
             HostMemory<float>,
             HostLosses<float> {
  using Scalar = float;
  using Context = cpu::Context;
  using Packed = cpu::Packed;
  static constexpr const char* name = "cpu";
};

static_assert(Backend<Cpu>);

}  // namespace ADTR_ABI
}  // namespace adtr

/// CUDA: the distance to the nearest token of a bank, for any runtime (GPU or emulator).
#pragma once

#include "adtr/backend/cuda/gemm.hpp"
#include "adtr/backend/cuda/kernels/nearest.cuh"
#include "adtr/backend/cuda/launch.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda {

/// Always computes in float: scores of rounded factors would rule out too few tokens.
template <class Runtime>
struct Nearest {
  using Context = typename Runtime::Context;

  struct TokenBank {
    typename Gemm<Runtime>::Packed packed;                ///< (inputs, tokens)
    typename Runtime::template Memory<float> half_norms;  ///< ‖b‖²/2 of each token
  };

  static void pack_tokens(const Context& context, MatrixView<const float> tokens, TokenBank& bank) {
    Gemm<Runtime>::pack(context, tokens, bank.packed);
    if (bank.half_norms.size() != tokens.rows) bank.half_norms = typename Runtime::template Memory<float>(tokens.rows);
    launch_rows<kernels::HalfNorms>(context, tokens, tokens, VectorView<float>(bank.half_norms.data(), tokens.rows));
  }

  static void nearest(const Context& context, MatrixView<const float> x, const TokenBank& bank, float* distances) {
    context.template launch<kernels::Nearest>(
        {blocks(elements(x.rows, 1), kernels::Nearest::rows)}, x, bank.packed.matrix(),
        VectorView<const float>(bank.half_norms.data(), bank.half_norms.size()), VectorView<float>(distances, x.rows));
  }
};

}  // namespace cuda
}  // namespace ADTR_ABI
}  // namespace adtr

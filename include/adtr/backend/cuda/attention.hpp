/// CUDA: multi-head attention, one block per head and tile of queries or keys, for any runtime (GPU or emulator).
#pragma once

#include <cmath>

#include "adtr/backend/cuda/kernels/attention.cuh"
#include "adtr/backend/cuda/kernels/attention_backward.cuh"
#include "adtr/backend/cuda/kernels/attention_tensor.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda {

template <class Runtime>
struct Attentions {
  using Context = typename Runtime::Context;

  static void attention(const Context& context, const Attention<float>& a) {
    const kernels::AttentionTask t = task(a);
    by_precision<64>(context, t.channels, [&]<class Tile>() { tiles<kernels::AttentionForward<Tile>>(context, a, t); });
  }

  static void attention_backward(const Context& context, const Attention<float>& a, const AttentionGradient<float>& g) {
    const kernels::AttentionTask t = task(a);
    by_precision<32>(context, t.channels, [&]<class Tile>() {
      tiles<kernels::QueryGradient<Tile>>(context, a, t, g.out, g.query);
      tiles<kernels::KeyValueGradient<Tile>>(context, a, t, g.out, g.key, g.value);
    });
  }

 private:
  static constexpr Index max_channels = 128;

  [[nodiscard]] static kernels::AttentionTask task(const Attention<float>& a) {
    const Index channels = a.query.cols / a.heads;
    if (channels > max_channels)
      throw Error("attention on the cuda backend takes at most " + std::to_string(max_channels) +
                      " channels per head, not " + std::to_string(channels) + ".",
                  ErrorCode::shape);
    return {a.query,   a.key,    a.value, a.out,    VectorView<float>(a.log_sum_exp, a.batch * a.heads * a.tokens),
            a.dropout, a.tokens, a.heads, channels, static_cast<float>(1.0 / std::sqrt(static_cast<double>(channels)))};
  }

  template <int D, int Tokens>
  using FloatTile = kernels::AttentionTile<D, Tokens, D == 128 ? 2 : 4>;
  template <int D, int Tokens>
  using Tf32Tile = kernels::AttentionTensorTile<Tf32, D, Tokens>;
  template <int D, int Tokens>
  using Bf16Tile = kernels::AttentionTensorTile<Bf16, D, Tokens>;

  /// Calls fn.operator()<Tile>() with the tile for the context's precision and for heads of `channels` channels. For
  /// heads of up to 32 channels, the tile has `Tokens` tokens.
  template <int Tokens, class F>
  static void by_precision(const Context& context, Index channels, const F& fn) {
    switch (context.tensor_cores() ? context.precision() : Precision::float32) {
      case Precision::float32:
        return by_width<FloatTile, Tokens>(channels, fn);
      case Precision::tf32:
        return by_width<Tf32Tile, Tokens>(channels, fn);
      case Precision::bf16:
        return by_width<Bf16Tile, Tokens>(channels, fn);
    }
  }
  template <template <int, int> class Tile, int Tokens, class F>
  static void by_width(Index channels, const F& fn) {
    if (channels <= 32)
      fn.template operator()<Tile<32, Tokens>>();
    else if (channels <= 64)
      fn.template operator()<Tile<64, 32>>();
    else
      fn.template operator()<Tile<128, 16>>();
  }

  template <class Kernel, class... Arguments>
  static void tiles(const Context& context, const Attention<float>& a, const Arguments&... arguments) {
    context.template launch<Kernel>({a.batch * a.heads * blocks(a.tokens, Kernel::tokens)}, arguments...);
  }
};

}  // namespace cuda
}  // namespace ADTR_ABI
}  // namespace adtr

/// CUDA: multi-head attention, a block for a head and a tile of its queries or keys, for any runtime.
#pragma once

#include <cmath>

#include "adtr/backend/cuda/kernels/attention.cuh"
#include "adtr/backend/cuda/kernels/attention_backward.cuh"

namespace adtr::inline ADTR_ABI::cuda {

template <class Runtime>
struct Attentions {
  using Context = typename Runtime::Context;

  static void attention(const Context& context, const Attention<float>& a) {
    const kernels::AttentionTask t = task(a);
    if (t.channels <= 32)
      tiles<kernels::AttentionForward<32, 64, 4>, 64>(context, a, t);
    else if (t.channels <= 64)
      tiles<kernels::AttentionForward<64, 32, 4>, 32>(context, a, t);
    else
      tiles<kernels::AttentionForward<128, 16, 2>, 16>(context, a, t);
  }

  static void attention_backward(const Context& context, const Attention<float>& a, const AttentionGradient<float>& g) {
    const kernels::AttentionTask t = task(a);
    if (t.channels <= 32)
      backward<32, 32, 4>(context, a, t, g);
    else if (t.channels <= 64)
      backward<64, 32, 4>(context, a, t, g);
    else
      backward<128, 16, 2>(context, a, t, g);
  }

 private:
  static constexpr Index most_channels = 128;

  [[nodiscard]] static kernels::AttentionTask task(const Attention<float>& a) {
    const Index channels = a.query.cols / a.heads;
    if (channels > most_channels)
      throw Error("attention on the cuda backend takes at most " + std::to_string(most_channels) +
                  " channels a head, not " + std::to_string(channels) + ".");
    return {a.query,   a.key,    a.value, a.out,    VectorView<float>(a.log_sum_exp, a.batch * a.heads * a.tokens),
            a.dropout, a.tokens, a.heads, channels, static_cast<float>(1.0 / std::sqrt(static_cast<double>(channels)))};
  }

  template <class Kernel, Index Tokens, class... Arguments>
  static void tiles(const Context& context, const Attention<float>& a, const Arguments&... arguments) {
    context.template launch<Kernel>({a.batch * a.heads * blocks(a.tokens, Tokens)}, arguments...);
  }

  template <int D, int Tokens, int PerThread>
  static void backward(const Context& context, const Attention<float>& a, const kernels::AttentionTask& t,
                       const AttentionGradient<float>& g) {
    tiles<kernels::QueryGradient<D, Tokens, PerThread>, Tokens>(context, a, t, g.out, g.query);
    tiles<kernels::KeyValueGradient<D, Tokens, PerThread>, Tokens>(context, a, t, g.out, g.key, g.value);
  }
};

}  // namespace adtr::inline ADTR_ABI::cuda

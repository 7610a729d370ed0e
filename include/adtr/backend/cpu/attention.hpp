/// Cpu: multi-head attention. A task computes some queries of one head.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "adtr/backend/cpu/context.hpp"
#include "adtr/backend/cpu/dispatch.hpp"
#include "adtr/backend/cpu/dropout.hpp"
#include "adtr/core/ceil_div.hpp"
#include "adtr/core/error.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cpu {

struct Attentions {
  static void attention(const Context& context, const Attention<float>& a) {
    check(a);
    const Kernels& kernel = kernels();
    const Index heads = a.batch * a.heads;
    const Index wanted = context.threads() == 1 ? 1 : ceil_div(4 * context.threads(), heads);
    const Index per_task = std::clamp(ceil_div(a.tokens, wanted), Index{48}, Index{1020});
    const Index queries = round_up(per_task, 12);
    const Index blocks = ceil_div(a.tokens, queries);
    context.for_each(heads * blocks, [&](Index i) {
      AttentionTask task = head_task(a, i / blocks);
      task.begin = i % blocks * queries;
      task.end = (std::min)(a.tokens, task.begin + queries);
      kernel.attention(task, context.kernel_room().data());
    });
  }

  static void attention_backward(const Context& context, const Attention<float>& a, const AttentionGradient<float>& g) {
    check(a);
    const TrainingKernels& kernel = training_kernels();
    context.for_each(a.batch * a.heads, [&](Index i) {
      const Index first = i / a.heads * a.tokens, channel = i % a.heads * channels(a);
      kernel.attention_backward(
          {head_task(a, i), g.out.row(first) + channel, g.out.stride, g.query.row(first) + channel,
           g.key.row(first) + channel, g.value.row(first) + channel, g.query.stride, g.key.stride, g.value.stride},
          context.kernel_room().data());
    });
  }

 private:
  static constexpr Index max_channels = 512;

  [[nodiscard]] static Index channels(const Attention<float>& a) { return a.query.cols / a.heads; }

  static void check(const Attention<float>& a) {
    if (channels(a) > max_channels)
      throw Error("attention on the cpu backend takes at most " + std::to_string(max_channels) +
                      " channels per head, not " + std::to_string(channels(a)) + ".",
                  ErrorCode::shape);
  }

  /// The task of head i % heads of image i / heads, for all queries.
  [[nodiscard]] static AttentionTask head_task(const Attention<float>& a, Index i) {
    const Index first = i / a.heads * a.tokens, d = channels(a), channel = i % a.heads * d;
    AttentionTask task;
    task.query = a.query.row(first) + channel;
    task.key = a.key.row(first) + channel;
    task.value = a.value.row(first) + channel;
    task.query_stride = a.query.stride;
    task.key_stride = a.key.stride;
    task.value_stride = a.value.stride;
    task.out = a.out.row(first) + channel;
    task.out_stride = a.out.stride;
    task.log_sum_exp = a.log_sum_exp == nullptr ? nullptr : a.log_sum_exp + i * a.tokens;
    task.tokens = a.tokens;
    task.channels = d;
    task.end = a.tokens;
    task.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(d)));
    task.first = static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(a.tokens * a.tokens);
    task.dropout = dropout_stream(a.dropout);
    return task;
  }
};

}  // namespace cpu
}  // namespace ADTR_ABI
}  // namespace adtr

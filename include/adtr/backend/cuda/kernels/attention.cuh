/// CUDA: attention of one tile of queries, which visits the tiles of keys one after the other.
#pragma once

#include "adtr/backend/cuda/kernels/attention_tile.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::kernels {

/// Computes an online softmax (Milakov & Gimelshein, 2018): the sums so far are scaled down when a larger logit
/// appears. The weights of a tile pass through shared memory.
template <class Tile>
struct AttentionForward : Tile {
  using Tile::own_rows, Tile::own_tokens, Tile::own_channels, Tile::row, Tile::column;
  static constexpr const char* name = "attention";

  template <class Context>
  ADTR_DEVICE static void run(Context& cx, AttentionTask a) {
    const auto query = cx.template shared<float, Tile::size, 0>();
    const auto key = cx.template shared<float, Tile::size, 1>();
    const auto value = cx.template shared<float, Tile::size, 2>();
    const auto weights = cx.template shared<float, Tile::weights, 3>();
    const auto head = Tile::head(cx, a);
    const Index own = Tile::first(cx, a);
    const int thread = cx.thread();

    Array<float, own_rows, own_channels> sums = {};
    Array<float, own_rows> largest, total = {}, factor;
    ADTR_UNROLLED for (int i = 0; i < own_rows; ++i) largest[i] = -std::numeric_limits<float>::infinity();
    Tile::fill(cx, a, head, a.query, own, query);
    for (Index first = 0; first < a.tokens; first += Tile::tokens) {
      cx.barrier();
      Tile::fill(cx, a, head, a.key, first, key);
      Tile::fill(cx, a, head, a.value, first, value);
      cx.barrier();
      Tile::draw(cx, a, head, own, first, weights);
      Array<float, own_rows, own_tokens> logits;
      Tile::rows_times_rows(cx, query, key, logits);
      ADTR_UNROLLED for (int i = 0; i < own_rows; ++i) {
        float top = largest[i];
        ADTR_UNROLLED for (int j = 0; j < own_tokens; ++j) {
          logits[i][j] *= a.scale;
          if (first + column(thread, j) < a.tokens && top < logits[i][j]) top = logits[i][j];
        }
        top = largest_lane<Tile::lanes>(cx, top);
        const float shrink = expf(largest[i] - top);
        largest[i] = top;
        float sum = 0.0F;
        ADTR_UNROLLED for (int j = 0; j < own_tokens; ++j) {
          const float weight = first + column(thread, j) < a.tokens ? expf(logits[i][j] - top) : 0.0F;
          const int at = row(thread, i) * Tile::weight_stride + column(thread, j);
          sum += weight;
          cx.store(weights, at, weight * Tile::mask(cx, a, weights, at));
        }
        total[i] = total[i] * shrink + sum_lanes<Tile::lanes>(cx, sum);
        ADTR_UNROLLED for (int n = 0; n < own_channels; ++n) sums[i][n] *= shrink;
      }
      cx.barrier();
      Tile::template add_weighted<false>(cx, weights, value, sums);
    }

    ADTR_UNROLLED for (int i = 0; i < own_rows; ++i) {
      factor[i] = 1.0F / total[i];
      const Index token = own + row(thread, i);
      if (a.log_sum_exp.data != nullptr && column(thread, 0) == 0 && token < a.tokens)
        cx.store(a.log_sum_exp, head.index * a.tokens + token, largest[i] + logf(total[i]));
    }
    write<Tile>(cx, a, head, own, sums, factor, a.out);
  }
};

}  // namespace cuda::kernels
}  // namespace ADTR_ABI
}  // namespace adtr

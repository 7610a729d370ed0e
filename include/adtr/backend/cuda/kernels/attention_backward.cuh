/// CUDA: the gradients of attention. One kernel sums over keys for dQ, the other over queries for dK and dV. So every
/// element has one owner, and no sum depends on the order of blocks.
///
/// Let P be the softmax, recomputed from the stored log Σ exp, and M the dropout mask divided by (1 − rate). Then
/// dV = (M∘P)ᵀ dO; dP = M ∘ (dO·Vᵀ); dS = P ∘ (dP − δ), where δ = Σⱼ dP∘P = dO·O; dQ = dS·K/√d; dK = dSᵀ·Q/√d.
#pragma once

#include "adtr/backend/cuda/kernels/attention_tile.cuh"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::kernels {

template <class Tile>
struct AttentionGradientTile : Tile {
  using typename Tile::Head;

  /// δ of a token, in all lanes that share its row; 0 beyond the last token.
  template <class Context>
  [[nodiscard]] ADTR_DEVICE static float delta(Context& cx, const AttentionTask& a, const Head& h,
                                               MatrixView<const float> gradient, Index token) {
    float sum = 0.0F;
    if (token < a.tokens)
      for (Index c = cx.thread() % Tile::lanes; c < a.channels; c += Tile::lanes)
        sum += cx.load(gradient, h.row + token, h.column + c) * cx.load(a.out, h.row + token, h.column + c);
    return sum_lanes<Tile::lanes>(cx, sum);
  }
  template <class Context>
  [[nodiscard]] ADTR_DEVICE static float log_sum_exp(Context& cx, const AttentionTask& a, const Head& h, Index token) {
    return token < a.tokens ? cx.load(a.log_sum_exp, h.index * a.tokens + token) : 0.0F;
  }
  /// P of query i and key j from their product; 0 beyond the last token.
  [[nodiscard]] ADTR_DEVICE static float probability(const AttentionTask& a, Index i, Index j, float product,
                                                     float log_sum_exp) {
    return i < a.tokens && j < a.tokens ? expf(product * a.scale - log_sum_exp) : 0.0F;
  }
};

/// Computes dQ of one tile of queries.
template <class Gemm>
struct QueryGradient : AttentionGradientTile<Gemm> {
  using Tile = AttentionGradientTile<Gemm>;
  using Tile::own_rows, Tile::own_tokens, Tile::own_channels, Tile::row, Tile::column;
  static constexpr const char* name = "attention_query_gradient";

  template <class Context>
  ADTR_DEVICE static void run(Context& cx, AttentionTask a, MatrixView<const float> gradient, MatrixView<float> dq) {
    const auto query = cx.template shared<float, Tile::size, 0>();
    const auto key = cx.template shared<float, Tile::size, 1>();
    const auto value = cx.template shared<float, Tile::size, 2>();
    const auto dout = cx.template shared<float, Tile::size, 3>();
    const auto ds = cx.template shared<float, Tile::weights, 4>();
    const auto head = Tile::head(cx, a);
    const Index own = Tile::first(cx, a);
    const int thread = cx.thread();

    Array<float, own_rows, own_channels> sums = {};
    Array<float, own_rows> delta, log_sum_exp, scale;
    ADTR_UNROLLED for (int i = 0; i < own_rows; ++i) {
      delta[i] = Tile::delta(cx, a, head, gradient, own + row(thread, i));
      log_sum_exp[i] = Tile::log_sum_exp(cx, a, head, own + row(thread, i));
      scale[i] = a.scale;
    }
    Tile::fill(cx, a, head, a.query, own, query);
    Tile::fill(cx, a, head, gradient, own, dout);
    for (Index first = 0; first < a.tokens; first += Tile::tokens) {
      cx.barrier();
      Tile::fill(cx, a, head, a.key, first, key);
      Tile::fill(cx, a, head, a.value, first, value);
      cx.barrier();
      Tile::draw(cx, a, head, own, first, ds);
      Array<float, own_rows, own_tokens> products, dp;
      Tile::rows_times_rows(cx, query, key, products);
      Tile::rows_times_rows(cx, dout, value, dp);
      ADTR_UNROLLED for (int i = 0; i < own_rows; ++i) ADTR_UNROLLED for (int j = 0; j < own_tokens; ++j) {
        const Index q = own + row(thread, i), k = first + column(thread, j);
        const float p = Tile::probability(a, q, k, products[i][j], log_sum_exp[i]);
        const int at = row(thread, i) * Tile::weight_stride + column(thread, j);
        cx.store(ds, at, p * (Tile::mask(cx, a, ds, at) * dp[i][j] - delta[i]));
      }
      cx.barrier();
      Tile::template add_weighted<false>(cx, ds, key, sums);
    }
    write<Tile>(cx, a, head, own, sums, scale, dq);
  }
};

/// Computes dK and dV of one tile of keys.
template <class Gemm>
struct KeyValueGradient : AttentionGradientTile<Gemm> {
  using Tile = AttentionGradientTile<Gemm>;
  using Tile::own_rows, Tile::own_tokens, Tile::own_channels, Tile::row, Tile::column;
  static constexpr const char* name = "attention_key_value_gradient";

  template <class Context>
  ADTR_DEVICE static void run(Context& cx, AttentionTask a, MatrixView<const float> gradient, MatrixView<float> dk,
                              MatrixView<float> dv) {
    const auto query = cx.template shared<float, Tile::size, 0>();
    const auto key = cx.template shared<float, Tile::size, 1>();
    const auto value = cx.template shared<float, Tile::size, 2>();
    const auto dout = cx.template shared<float, Tile::size, 3>();
    const auto ds = cx.template shared<float, Tile::weights, 4>();
    const auto weights = cx.template shared<float, Tile::weights, 5>();
    const auto head = Tile::head(cx, a);
    const Index own = Tile::first(cx, a);
    const int thread = cx.thread();

    Array<float, own_rows, own_channels> dkey = {}, dvalue = {};
    Array<float, own_rows> scale, one;
    ADTR_UNROLLED for (int i = 0; i < own_rows; ++i) {
      scale[i] = a.scale;
      one[i] = 1.0F;
    }
    Tile::fill(cx, a, head, a.key, own, key);
    Tile::fill(cx, a, head, a.value, own, value);
    for (Index first = 0; first < a.tokens; first += Tile::tokens) {
      cx.barrier();
      Tile::fill(cx, a, head, a.query, first, query);
      Tile::fill(cx, a, head, gradient, first, dout);
      cx.barrier();
      Tile::draw(cx, a, head, first, own, weights);
      Array<float, own_rows, own_tokens> products, dp;
      Tile::rows_times_rows(cx, query, key, products);
      Tile::rows_times_rows(cx, dout, value, dp);
      ADTR_UNROLLED for (int i = 0; i < own_rows; ++i) {
        const Index q = first + row(thread, i);
        const float delta = Tile::delta(cx, a, head, gradient, q), sum = Tile::log_sum_exp(cx, a, head, q);
        ADTR_UNROLLED for (int j = 0; j < own_tokens; ++j) {
          const Index k = own + column(thread, j);
          const int at = row(thread, i) * Tile::weight_stride + column(thread, j);
          const float p = Tile::probability(a, q, k, products[i][j], sum), mask = Tile::mask(cx, a, weights, at);
          cx.store(weights, at, mask * p);
          cx.store(ds, at, p * (mask * dp[i][j] - delta));
        }
      }
      cx.barrier();
      Tile::template add_weighted<true>(cx, weights, dout, dvalue);
      Tile::template add_weighted<true>(cx, ds, query, dkey);
    }
    write<Tile>(cx, a, head, own, dkey, scale, dk);
    write<Tile>(cx, a, head, own, dvalue, one, dv);
  }
};

}  // namespace cuda::kernels
}  // namespace ADTR_ABI
}  // namespace adtr

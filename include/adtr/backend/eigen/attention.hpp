/// Eigen backend: multi-head attention and its gradient. A task computes one head of one image, in blocks of queries.
#pragma once

#include <cmath>

#include "adtr/backend/eigen/elements.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace eigen {

struct Attentions {
  static void attention(const Context& context, const Attention<float>& a) {
    for_each(context, a.batch * a.heads, [&](Index i) {
      const Head head(a, i);
      Arena<float> arena = scratch(head.block_size(), a.tokens, query_block * head.channels);
      float* const room = arena.take(head.block_size());
      float* const mask = arena.take(a.tokens);
      float* const out = arena.take(query_block * head.channels);
      for (Index first = 0; first < a.tokens; first += query_block) {
        const Index count = (std::min)(query_block, a.tokens - first);
        const MatrixView<float> p = head.probabilities(first, count, room);
        for (Index r = 0; r < count && a.dropout.active(); ++r) {
          dropout_mask(a.dropout, head.element(first + r), a.tokens, mask);
          for (Index j = 0; j < a.tokens; ++j) p.row(r)[j] *= mask[j];
        }
        // Not into a.out, because for tiny products Eigen's rounding depends on the address of the result.
        const MatrixView<float> block(out, count, head.channels);
        as_eigen(block).noalias() = as_eigen(p) * as_eigen(head.of(a.value));
        as_eigen(head.of(a.out, first, count)) = as_eigen(block);
      }
    });
  }

  /// The equations are at Reference. The softmax is computed again from the scores. That is as fast as using
  /// log_sum_exp, and gives the bits of the forward pass.
  static void attention_backward(const Context& context, const Attention<float>& a, const AttentionGradient<float>& g) {
    for_each(context, a.batch * a.heads, [&](Index i) {
      Attention<float> forward = a;
      forward.log_sum_exp = nullptr;
      const Head head(forward, i);
      const Index size = a.tokens * head.channels;
      Arena<float> arena =
          scratch(head.block_size(), head.block_size(), a.tokens, query_block * head.channels, size, size);
      float* const room = arena.take(head.block_size());
      const MatrixView<float> gradients(arena.take(head.block_size()), query_block, a.tokens,
                                        aligned_size<float>(a.tokens));
      float* const mask = arena.take(a.tokens);
      float* const query = arena.take(query_block * head.channels);
      const MatrixView<float> dk(arena.take(size), a.tokens, head.channels);
      const MatrixView<float> dv(arena.take(size), a.tokens, head.channels);
      as_eigen(dk).setZero();
      as_eigen(dv).setZero();
      std::fill_n(mask, a.tokens, 1.0F);
      for (Index first = 0; first < a.tokens; first += query_block) {
        const Index count = (std::min)(query_block, a.tokens - first);
        const MatrixView<float> p = head.probabilities(first, count, room);
        const MatrixView<float> ds(gradients.data, count, a.tokens, gradients.stride);
        const ConstMatrixMap dout = as_eigen(MatrixView<const float>(head.of(g.out, first, count)));
        as_eigen(ds).noalias() = dout * as_eigen(head.of(a.value)).transpose();
        for (Index r = 0; r < count; ++r) {
          float* const pr = p.row(r);
          float* const dr = ds.row(r);
          if (a.dropout.active()) dropout_mask(a.dropout, head.element(first + r), a.tokens, mask);
          const float dot = sum<float>(a.tokens, [&](Index j) { return dr[j] * mask[j] * pr[j]; });
          for (Index j = 0; j < a.tokens; ++j) {
            dr[j] = pr[j] * (dr[j] * mask[j] - dot) * head.scale;
            pr[j] *= mask[j];
          }
        }
        as_eigen(dv).noalias() += as_eigen(p).transpose() * dout;
        as_eigen(dk).noalias() += as_eigen(ds).transpose() * as_eigen(head.of(a.query, first, count));
        const MatrixView<float> dq(query, count, head.channels);
        as_eigen(dq).noalias() = as_eigen(ds) * as_eigen(head.of(a.key));
        as_eigen(head.of(g.query, first, count)) = as_eigen(dq);
      }
      as_eigen(head.of(g.key)) = as_eigen(dk);
      as_eigen(head.of(g.value)) = as_eigen(dv);
    });
  }

 private:
  static constexpr Index query_block = 64;

  /// One head of one image.
  struct Head {
    Head(const Attention<float>& attention, Index index)
        : a(attention),
          i(index),
          channels(a.query.cols / a.heads),
          scale(1.0F / std::sqrt(static_cast<float>(channels))) {}

    /// Returns the head's columns of the tokens [first, first + count) of the image.
    template <class T>
    [[nodiscard]] MatrixView<T> of(MatrixView<T> m, Index first, Index count) const {
      return {m.row(i / a.heads * a.tokens + first) + i % a.heads * channels, count, channels, m.stride};
    }
    template <class T>
    [[nodiscard]] MatrixView<T> of(MatrixView<T> m) const {
      return of(m, 0, a.tokens);
    }

    /// Size of a matrix (query_block, tokens) whose rows begin on cache lines.
    [[nodiscard]] Index block_size() const { return query_block * aligned_size<float>(a.tokens); }
    /// Returns the dropout element of the first weight of a query.
    [[nodiscard]] std::uint64_t element(Index query) const {
      return static_cast<std::uint64_t>((i * a.tokens + query) * a.tokens);
    }

    /// Computes the rows [first, first + count) of softmax(q·kᵀ/√d) in `room`. Writes log_sum_exp if it is not null.
    [[nodiscard]] MatrixView<float> probabilities(Index first, Index count, float* room) const {
      const MatrixView<float> p(room, count, a.tokens, aligned_size<float>(a.tokens));
      as_eigen(p).noalias() = as_eigen(of(a.query, first, count)) * as_eigen(of(a.key)).transpose();
      for (Index r = 0; r < count; ++r) {
        AlignedArray row(p.row(r), a.tokens);
        const float largest = row.maxCoeff();
        row = ((row - largest) * scale).exp();
        const float total = row.sum();
        row *= 1.0F / total;
        if (a.log_sum_exp != nullptr) a.log_sum_exp[i * a.tokens + first + r] = largest * scale + std::log(total);
      }
      return p;
    }

    const Attention<float>& a;
    Index i;  ///< image·heads + head
    Index channels;
    float scale;
  };
};

}  // namespace eigen
}  // namespace ADTR_ABI
}  // namespace adtr

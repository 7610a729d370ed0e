/// Reference: multi-head attention and its gradient.
#pragma once

#include <limits>

#include "adtr/backend/reference/gemm.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace reference {

template <class T>
struct Attentions {
  static void attention(const Context&, const Attention<T>& a) {
    const Index d = a.query.cols / a.heads;
    std::vector<double> p(static_cast<std::size_t>(a.tokens)), sums(static_cast<std::size_t>(d));
    for (Index b = 0; b < a.batch; ++b)
      for (Index h = 0; h < a.heads; ++h)
        for (Index i = 0; i < a.tokens; ++i) {
          const double log_sum_exp = probabilities(a, b, h, i, p);
          if (a.log_sum_exp != nullptr) a.log_sum_exp[(b * a.heads + h) * a.tokens + i] = static_cast<T>(log_sum_exp);
          drop(a, b, h, i, p);
          T* out = a.out.row(b * a.tokens + i) + h * d;
          std::fill(sums.begin(), sums.end(), 0.0);
          for (Index j = 0; j < a.tokens; ++j) {
            const T* value = a.value.row(b * a.tokens + j) + h * d;
            for (Index c = 0; c < d; ++c)
              sums[static_cast<std::size_t>(c)] += p[static_cast<std::size_t>(j)] * static_cast<double>(value[c]);
          }
          for (Index c = 0; c < d; ++c) out[c] = static_cast<T>(sums[static_cast<std::size_t>(c)]);
        }
  }

  /// With P the softmax and M the dropout mask over (1 − rate): dV = (M∘P)ᵀ dO; dP = M ∘ (dO·Vᵀ);
  /// dS = P ∘ (dP − Σⱼ dP∘P); dQ = dS·K/√d; dK = dSᵀ·Q/√d.
  static void attention_backward(const Context&, const Attention<T>& a, const AttentionGradient<T>& g) {
    const Index d = a.query.cols / a.heads;
    const double scale = 1.0 / std::sqrt(static_cast<double>(d));
    const auto size = static_cast<std::size_t>(a.tokens);
    std::vector<double> p(size), mask(size), dp(size), dq(static_cast<std::size_t>(d)),
        dk(size * static_cast<std::size_t>(d)), dv(dk.size());
    for (Index b = 0; b < a.batch; ++b)
      for (Index h = 0; h < a.heads; ++h) {
        std::fill(dk.begin(), dk.end(), 0.0);
        std::fill(dv.begin(), dv.end(), 0.0);
        const auto at = [&](const auto& m, Index token, Index c) {
          return static_cast<double>(m.row(b * a.tokens + token)[h * d + c]);
        };
        for (Index i = 0; i < a.tokens; ++i) {
          probabilities(a, b, h, i, p);
          std::fill(mask.begin(), mask.end(), 1.0);
          drop(a, b, h, i, mask);
          double dot = 0.0;
          for (Index j = 0; j < a.tokens; ++j) {
            const auto js = static_cast<std::size_t>(j);
            double sum = 0.0;
            for (Index c = 0; c < d; ++c) {
              sum += at(g.out, i, c) * at(a.value, j, c);
              dv[js * static_cast<std::size_t>(d) + static_cast<std::size_t>(c)] += mask[js] * p[js] * at(g.out, i, c);
            }
            dp[js] = mask[js] * sum;
            dot += dp[js] * p[js];
          }
          std::fill(dq.begin(), dq.end(), 0.0);
          for (Index j = 0; j < a.tokens; ++j) {
            const auto js = static_cast<std::size_t>(j);
            const double ds = p[js] * (dp[js] - dot) * scale;
            for (Index c = 0; c < d; ++c) {
              dq[static_cast<std::size_t>(c)] += ds * at(a.key, j, c);
              dk[js * static_cast<std::size_t>(d) + static_cast<std::size_t>(c)] += ds * at(a.query, i, c);
            }
          }
          for (Index c = 0; c < d; ++c)
            g.query.row(b * a.tokens + i)[h * d + c] = static_cast<T>(dq[static_cast<std::size_t>(c)]);
        }
        for (Index j = 0; j < a.tokens; ++j)
          for (Index c = 0; c < d; ++c) {
            const auto at_jc = static_cast<std::size_t>(j * d + c);
            g.key.row(b * a.tokens + j)[h * d + c] = static_cast<T>(dk[at_jc]);
            g.value.row(b * a.tokens + j)[h * d + c] = static_cast<T>(dv[at_jc]);
          }
      }
  }

 private:
  /// Row i of softmax(q·kᵀ/√d) of one head; returns log Σ exp of the logits.
  static double probabilities(const Attention<T>& a, Index b, Index h, Index i, std::vector<double>& p) {
    const Index d = a.query.cols / a.heads;
    const T* q = a.query.row(b * a.tokens + i) + h * d;
    double largest = -std::numeric_limits<double>::infinity();
    for (Index j = 0; j < a.tokens; ++j) {
      const T* k = a.key.row(b * a.tokens + j) + h * d;
      double dot = 0.0;
      for (Index c = 0; c < d; ++c) dot += static_cast<double>(q[c]) * static_cast<double>(k[c]);
      p[static_cast<std::size_t>(j)] = dot / std::sqrt(static_cast<double>(d));
      largest = (std::max)(largest, p[static_cast<std::size_t>(j)]);
    }
    double sum = 0.0;
    for (double& x : p) sum += x = std::exp(x - largest);
    for (double& x : p) x /= sum;
    return largest + std::log(sum);
  }

  static void drop(const Attention<T>& a, Index b, Index h, Index i, std::vector<double>& weights) {
    if (!a.dropout.active()) return;
    const auto first = static_cast<std::uint64_t>(((b * a.heads + h) * a.tokens + i) * a.tokens);
    for (std::size_t j = 0; j < weights.size(); ++j)
      weights[j] *= a.dropout.keep(first + j) ? 1.0 / (1.0 - static_cast<double>(a.dropout.rate)) : 0.0;
  }
};

}  // namespace reference
}  // namespace ADTR_ABI
}  // namespace adtr

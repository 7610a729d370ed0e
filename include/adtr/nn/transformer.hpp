/// Common parts of a transformer's encoder and decoder layers, in DETR style (Carion et al., ECCV 2020): post-norm, and
/// a positional embedding that every attention adds to queries and keys, never to values.
#pragma once

#include "adtr/nn/attention.hpp"
#include "adtr/nn/feed_forward.hpp"
#include "adtr/nn/layer_norm.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// How the tokens of an image exchange information.
enum class Mixing : std::uint8_t {
  attention,    ///< ADTR
  convolution,  ///< ablation: 3×3 convolutions over the map, which makes a CNN; see PlainReconstruction
  none          ///< ablation: feed-forward layers only
};

/// The sizes and parts of a transformer; the defaults are ADTR's.
struct TransformerSpec {
  Index channels = 256;
  Index heads = 8;
  Index hidden = 1024;  ///< channels between the two feed-forward layers
  Index layers = 4;     ///< in the encoder, and as many in the decoder
  Mixing mixing = Mixing::attention;
  /// Whether the decoder begins with the learned query embedding; otherwise (an ablation) with its own input.
  bool query = true;
};

/// The arguments that all transformer layers of a pass share.
template <Backend B>
struct Pass {
  using T = typename B::Scalar;
  const typename B::Context& context;
  Index tokens;                   ///< per image; rows = batch·tokens
  MatrixView<const T> positions;  ///< (tokens, C), the positional embedding
  Dropout dropout{};              ///< each layer sets its own site

  [[nodiscard]] Dropout at(Index site) const {
    Dropout d = dropout;
    d.site = static_cast<std::uint32_t>(site);
    return d;
  }
};

namespace detail {

/// Returns y = dropout(x) if dropout is active; otherwise x itself, without a copy.
template <Backend B>
MatrixIn<B> dropped(const Pass<B>& pass, Index site, MatrixIn<B> x, MatrixOut<B> y) {
  if (!pass.dropout.active()) return x;
  B::dropout(pass.context, x, pass.at(site), MatrixIn<B>{}, y);
  return y;
}

/// sum = residual + dropout(sublayer(…)). `sublayer(residual, out)` writes residual + sublayer, in one operation if
/// dropout is inactive.
template <Backend B, class Sublayer>
void add_sublayer(const Pass<B>& pass, Index site, MatrixIn<B> residual, MatrixOut<B> sum, Sublayer&& sublayer) {
  if (!pass.dropout.active()) return sublayer(residual, sum);
  sublayer(MatrixIn<B>{}, sum);
  B::dropout(pass.context, MatrixIn<B>(sum), pass.at(site), residual, sum);
}

/// A layer norm's input x = residual + sublayer (rows, C) and statistics (rows, 2), kept for the backward pass.
template <class T>
struct NormActivations {
  T* sum = nullptr;
  T* statistics = nullptr;
  constexpr NormActivations() = default;
  constexpr NormActivations(Arena<T>& arena, Index rows, Index channels)
      : sum(arena.take(rows * channels)), statistics(arena.take(rows * 2)) {}
};

}  // namespace detail

/// Elements of scratch memory that the backward pass of a transformer layer needs.
template <TransformerSpec S>
constexpr Index backward_scratch(Index rows) {
  return 4 * aligned_size<float>(rows * S.channels) + aligned_size<float>(rows * std::max(4 * S.channels, S.hidden)) +
         aligned_size<float>(0) + 64;
}

}  // namespace ADTR_ABI
}  // namespace adtr

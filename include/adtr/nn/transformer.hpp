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

namespace detail {

/// Returns y = dropout(x) if dropout is active; otherwise x itself, without a copy.
template <Backend B>
MatrixIn<B> dropped(const Pass<B>& pass, Index site, MatrixIn<B> x, MatrixOut<B> y) {
  if (!pass.dropout.active()) return x;
  B::dropout(pass.context, x, pass.at(site), MatrixIn<B>{}, y);
  return y;
}

/// sum = residual + dropout(sublayer(…)), where `site` is the number of the dropout. `sublayer(out, residual)` writes
/// residual + sublayer, in one operation if dropout is inactive; what it returns is returned.
template <Backend B, class Sublayer>
auto add_sublayer(const Pass<B>& pass, Index site, MatrixIn<B> residual, MatrixOut<B> sum, Sublayer&& sublayer) {
  if (!pass.dropout.active()) return sublayer(sum, residual);
  const auto kept = sublayer(sum, MatrixIn<B>{});
  B::dropout(pass.context, MatrixIn<B>(sum), pass.at(site), residual, sum);
  return kept;
}

}  // namespace detail

}  // namespace ADTR_ABI
}  // namespace adtr

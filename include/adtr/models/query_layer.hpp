/// The decoder's first layer, whose target is the query embedding: what it computes before its attention to the memory
/// is the same for all images.
#pragma once

#include "adtr/nn/decoder_layer.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// A DecoderLayer whose target is one embedding (Tokens, C) for all images. Its first third is computed once: in
/// inference when the weights are prepared, in training once per pass. Only with dropout, which differs between images,
/// is it computed for each image.
template <Index Tokens, TransformerSpec S>
struct QueryLayer {
  static constexpr Index C = S.channels;
  using Decoder = DecoderLayer<S>;
  using Attend = typename Decoder::Attend;
  template <class T>
  using Memory = typename Decoder::template Memory<T>;
  template <class T>
  using Activations = typename Decoder::template Activations<T>;
  /// Multiply-accumulates per image, without the part that is the same for all images.
  static constexpr Index inference_macs = Decoder::macs(Tokens) - Attend::macs(Tokens) - Tokens * C * C;

  /// Weights in addition to those of the layer itself.
  template <Backend B>
  struct Weights {
    typename B::Memory query_embed;  ///< only in training
    /// Only in inference: t₁ and the projected queries of the attention to the memory, both (Tokens, C).
    typename B::Memory target, projected_query;
  };

  /// Prepares the layer's weights as well. In inference the weights of its first third are not kept.
  template <Backend B>
  static void prepare(const Pass<B>& pass, const typename Decoder::template Parameters<typename B::Scalar>& p,
                      const typename B::Scalar* query_embed, Mode mode, typename Decoder::template Weights<B>& layer,
                      Weights<B>& w) {
    if (mode == Mode::training) {
      Decoder::template prepare<B>(pass.context, p, mode, layer);
      return assign<B>(pass.context, w.query_embed, query_embed, Tokens * C);
    }
    using T = typename B::Scalar;
    Decoder::template prepare_memory<B>(pass.context, p, mode, layer, 1);
    w.target = typename B::Memory(Tokens * C);
    w.projected_query = typename B::Memory(Tokens * C);
    const BuffersTogether apart(0);  // keeps the temporary buffers below out of the block of weights
    typename Decoder::template Weights<B> first;
    Decoder::template prepare_target<B>(pass.context, p, mode, first);
    typename Attend::Out::template Weights<B> projection;
    Attend::Out::template prepare<B>(pass.context, p.multihead_attn.projection(0), mode, projection);
    Arena<T> size;
    [[maybe_unused]] const Activations<T> measured(size, Tokens, Mode::inference);
    typename B::Memory memory(size.peak());
    Arena<T> arena(memory.data(), memory.size());
    const Activations<T> a(arena, Tokens, Mode::inference);
    Decoder::template attend_to_target<B>(pass, first, 0, a, {query_embed, Tokens, C});
    assign<B>(pass.context, w.target, a.first, Tokens * C);
    Attend::Out::template forward<B>(pass.context, projection, MatrixIn<B>(a.query_positions, Tokens, C),
                                     MatrixOut<B>(w.projected_query.data(), Tokens, C));
  }

  /// y (rows, C). `t` (rows, C) is room for the targets of all images.
  template <Backend B>
  static void forward(const Pass<B>& pass, const typename Decoder::template Weights<B>& layer, const Weights<B>& w,
                      Index site, const Activations<typename B::Scalar>& a, MatrixOut<B> t,
                      const Memory<typename B::Scalar>& memory, MatrixOut<B> y) {
    const auto rows = [&](auto* data) { return MatrixOut<B>(data, y.rows, C); };
    MatrixIn<B> query = rows(a.query_positions);
    if (pass.dropout.active()) {
      repeat<B>(pass.context, w.query_embed.data(), t);
      Decoder::template attend_to_target<B>(pass, layer, site, a, t);
    } else if (w.target.size() > 0) {
      repeat<B>(pass.context, w.target.data(), rows(a.first));
      repeat<B>(pass.context, w.projected_query.data(), Attend::projected(a.multihead_attn, y.rows, 0));
      query = {};
    } else {
      Decoder::template attend_to_target<B>(pass, layer, site, a, embedding(w));
      repeat<B>(pass.context, a.first, rows(a.first));
      repeat<B>(pass.context, a.query_positions, rows(a.query_positions));
    }
    Decoder::template attend_to_memory<B>(pass, layer, site, a, query, memory, y);
  }

  /// Takes d (rows, C), the gradient of y, and overwrites it. Adds to `gradient`, d_query (Tokens, C), d_memory and
  /// d_positions.
  template <Backend B>
  static void backward(const Pass<B>& pass, const typename Decoder::template Weights<B>& layer, const Weights<B>& w,
                       Index site, const Activations<typename B::Scalar>& a, MatrixIn<B> t,
                       const Memory<typename B::Scalar>& memory, MatrixOut<B> d,
                       const typename Decoder::template Parameters<typename B::Scalar>& gradient, MatrixOut<B> d_query,
                       MatrixOut<B> d_memory, MatrixOut<B> d_positions, Arena<typename B::Scalar> scratch) {
    if (pass.dropout.active()) {
      Decoder::template backward<B>(pass, layer, site, a, t, memory, d, gradient, d, d_memory, d_positions, scratch);
      return B::accumulate_positions(pass.context, d, d_query);
    }
    const MatrixOut<B> d_first(scratch.take(d.rows * C), d.rows, C);
    Decoder::template memory_backward<B>(pass, layer, site, a, memory, d, gradient, d_first, d_memory, d_positions,
                                         scratch);
    // The first third was computed for one image, and so is its gradient.
    const MatrixOut<B> sum(d.data, Tokens, C);
    B::zero(pass.context, sum.data, Tokens * C);
    B::accumulate_positions(pass.context, d_first, sum);
    const MatrixOut<B> d_target(d_first.data, Tokens, C);
    Decoder::template target_backward<B>(pass, layer, site, a, embedding(w), sum, gradient, d_target, d_positions,
                                         scratch);
    B::accumulate_positions(pass.context, d_target, d_query);
  }

 private:
  /// Copies the rows of x (Tokens, C) to every image of y; x may be y's first image.
  template <Backend B>
  static void repeat(const typename B::Context& context, const typename B::Scalar* x, MatrixOut<B> y) {
    for (Index r = x == y.data ? Tokens : 0; r < y.rows; r += Tokens)
      B::copy(context, MatrixIn<B>(x, Tokens, C), y.row_range(r, Tokens));
  }

  template <Backend B>
  static MatrixIn<B> embedding(const Weights<B>& w) {
    return {w.query_embed.data(), Tokens, C};
  }
};

}  // namespace ADTR_ABI
}  // namespace adtr

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
  /// Multiply-accumulates per image, without the part that is the same for all images.
  static constexpr Index inference_macs = Decoder::macs(Tokens) - Attend::macs(Tokens) - Tokens * C * C;

  template <class T>
  struct Parameters {
    T* query_embed = nullptr;
    ParametersOf<Decoder, T> layer;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("query_embed", self.query_embed, Shape{Tokens, C});
      visit("", self.layer);
    }
  };

  template <Backend B>
  struct Weights {
    using T = typename B::Scalar;
    /// The encoder's memory.
    using In = typename WeightsOf<Decoder, B>::Memory;
    using Out = MatrixOut<B>;
    using InGradient = MatrixOut<B>;  ///< added to, like DecoderLayer's
    struct Kept : WeightsOf<Decoder, B>::Kept {
      MatrixOut<B> targets;  ///< the embedding for every image (rows, C), with dropout
    };
    WeightsOf<Decoder, B> layer;     ///< in inference without its first third
    typename B::Memory query_embed;  ///< only in training
    /// Only in inference: t₁ and the projected queries of the attention to the memory, both (Tokens, C).
    typename B::Memory target, projected_query;

    /// `positions` (Tokens, C), the positional embedding, is read in inference.
    void prepare(const Preparation<B>& how, const Parameters<T>& p, MatrixIn<B> positions = {}) {
      if (how.mode == Mode::training) {
        layer.prepare(how, p.layer);
        return assign<B>(how.context, query_embed, p.query_embed, Tokens * C);
      }
      layer.prepare_memory(1, how, p.layer);
      target = typename B::Memory(Tokens * C);
      projected_query = typename B::Memory(Tokens * C);
      const BuffersTogether apart(0);  // keeps the temporary buffers below out of the block of weights
      WeightsOf<Decoder, B> first;
      first.prepare_target(how, p.layer);
      WeightsOf<typename Attend::Projection, B> projection;
      projection.prepare(how, p.layer.multihead_attn.projection(0));
      using Measured = Measuring<B>;
      Arena<T> counting;
      static_cast<void>(start<Measured>({typename Measured::Context(), Mode::inference, {}, Tokens}, {}, p.query_embed,
                                        target.data(), counting));
      typename B::Memory memory(counting.peak());
      Arena<T> arena(memory.data(), memory.size());
      const Pass<B> pass{how.context, Mode::inference, {}, Tokens, positions};
      const MatrixIn<B> query = start<B>(pass, first, p.query_embed, target.data(), arena);
      projection.forward(pass, query, MatrixOut<B>(projected_query.data(), Tokens, C), arena);
    }

    /// Computes y (rows, C).
    Kept forward(const Pass<B>& pass, const In& memory, Out y, Arena<T>& arena) const {
      const auto scope = pass.activations(arena);
      Kept kept;
      kept.first = take_rows(arena, y.rows, C);
      if (!pass.training()) {
        repeat<B>(pass.context, MatrixIn<B>(target.data(), Tokens, C), kept.first);
        kept.memory =
            layer.attend_to_memory(pass, kept.first, {{}, memory.key, memory.value, projected_query.data()}, y, arena);
        return kept;
      }
      kept.query = take_rows(arena, y.rows, C);
      if (pass.dropout.active()) {
        kept.targets = take_rows(arena, y.rows, C);
        repeat<B>(pass.context, embedding(), kept.targets);
        kept.target = layer.attend_to_target(pass, kept.targets, kept.first, kept.query, arena);
      } else {
        const auto first = kept.first.row_range(0, Tokens), query = kept.query.row_range(0, Tokens);
        kept.target = layer.attend_to_target(pass, embedding(), first, query, arena);
        repeat<B>(pass.context, first, kept.first.row_range(Tokens, y.rows - Tokens));
        repeat<B>(pass.context, query, kept.query.row_range(Tokens, y.rows - Tokens));
      }
      kept.memory = layer.attend_to_memory(pass, kept.first, {kept.query, memory.key, memory.value}, y, arena);
      return kept;
    }

    /// Adds to `gradient`, to dx and to pass.positions_gradient.
    void backward(const Pass<B>& pass, const In& memory, const Kept& kept, MatrixIn<B> dy,
                  const Parameters<T>& gradient, InGradient dx, Arena<T>& arena) const {
      const ArenaScope<T> scope(arena);
      const MatrixOut<B> d_query(gradient.query_embed, Tokens, C);
      const auto d_first = take_rows(arena, dy.rows, C);
      layer.memory_backward(pass, {kept.query, memory.key, memory.value}, kept.memory, dy, gradient.layer, d_first, dx,
                            arena);
      if (pass.dropout.active()) {
        layer.target_backward(pass, kept.targets, kept.target, d_first, gradient.layer, d_first, arena);
        return B::accumulate_positions(pass.context, d_first, d_query);
      }
      // The first third was computed for one image, and so is its gradient.
      const auto sum = take_rows(arena, Tokens, C), d_target = d_first.row_range(0, Tokens);
      B::zero(pass.context, sum.data, Tokens * C);
      B::accumulate_positions(pass.context, d_first, sum);
      layer.target_backward(pass, embedding(), kept.target, sum, gradient.layer, d_target, arena);
      B::accumulate_positions(pass.context, d_target, d_query);
    }

   private:
    /// Computes t₁ from the embedding, both (Tokens, C), and returns t₁ + p in memory of the arena.
    template <Backend M>
    static MatrixOut<M> start(const Pass<M>& pass, const WeightsOf<Decoder, M>& first, const T* embedding, T* target,
                              Arena<T>& arena) {
      const auto query = take_rows(arena, Tokens, C);
      first.attend_to_target(pass, {embedding, Tokens, C}, {target, Tokens, C}, query, arena);
      return query;
    }
    [[nodiscard]] MatrixIn<B> embedding() const { return {query_embed.data(), Tokens, C}; }
  };
};
static_assert(TrainableLayer<QueryLayer<4, TransformerSpec{}>>, "QueryLayer must be a TrainableLayer");

}  // namespace ADTR_ABI
}  // namespace adtr

/// The trained half of ADTR: a transformer that reconstructs a feature map from a learned query.
#pragma once

#include "adtr/models/query_layer.hpp"
#include "adtr/nn/encoder_layer.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Features (B·Tokens, Features) → 1×1 convolution → encoder → decoder → 1×1 convolution → reconstruction (B·Tokens,
/// Features). The decoder starts from the query embedding instead of the input, so that an anomaly cannot be copied
/// through.
template <Index Tokens, Index Features, TransformerSpec S = TransformerSpec{}>
struct Reconstruction {
  static_assert(S.mixing == Mixing::attention, "Reconstruction is a transformer; see PlainReconstruction");
  static constexpr Index tokens = Tokens;
  static constexpr Index features = Features;
  static constexpr TransformerSpec spec = S;
  static constexpr Index C = S.channels;
  static constexpr auto N = static_cast<std::size_t>(S.layers);
  using InputProjection = Linear<Features, C>;
  using OutputProjection = Linear<C, Features>;
  using Encoder = EncoderLayer<S>;
  using Decoder = DecoderLayer<S>;
  using Query = QueryLayer<Tokens, S>;
  /// The decoder's first layer.
  using First = std::conditional_t<S.query, Query, Decoder>;
  using Norm = LayerNorm<C>;
  static constexpr Index macs = Tokens * (InputProjection::macs_per_token + OutputProjection::macs_per_token) +
                                S.layers * (Encoder::macs(Tokens) + Decoder::macs(Tokens));
  /// The same without what is computed once for all images.
  static constexpr Index inference_macs = S.query ? macs - Decoder::macs(Tokens) + Query::inference_macs : macs;

  template <class T>
  struct Parameters {
    struct EncoderPart {
      std::array<ParametersOf<Encoder, T>, N> layers;
      template <class V>
      static constexpr void each(EncoderPart& self, V& visit) {
        visit("layers", self.layers);
      }
    };
    struct DecoderPart {
      std::array<ParametersOf<Decoder, T>, N> layers;
      ParametersOf<Norm, T> norm;
      template <class V>
      static constexpr void each(DecoderPart& self, V& visit) {
        visit("layers", self.layers);
        visit("norm", self.norm);
      }
    };
    ParametersOf<InputProjection, T> input_proj;
    T* pos_embed = nullptr;    ///< (Tokens, C)
    T* query_embed = nullptr;  ///< (Tokens, C); null without a query
    EncoderPart encoder;
    DecoderPart decoder;
    ParametersOf<OutputProjection, T> output_proj;

    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("input_proj", self.input_proj);
      visit("pos_embed", self.pos_embed, Shape{Tokens, C});
      if constexpr (S.query) visit("query_embed", self.query_embed, Shape{Tokens, C});
      visit("encoder", self.encoder);
      visit("decoder", self.decoder);
      visit("output_proj", self.output_proj);
    }
  };

  template <Backend B>
  struct Weights {
    using T = typename B::Scalar;
    using In = MatrixIn<B>;
    using Out = MatrixOut<B>;
    using InGradient = MatrixOut<B>;
    struct Kept {
      std::array<MatrixOut<B>, N + 1> encoded, decoded;  ///< (rows, C): the input of each layer and the last output
      MatrixOut<B> memory_key, normalised;
      std::array<typename WeightsOf<Encoder, B>::Kept, N> encoder;
      typename WeightsOf<First, B>::Kept first;
      std::array<typename WeightsOf<Decoder, B>::Kept, N - 1> rest;
      typename WeightsOf<Norm, B>::Kept norm;
    };
    WeightsOf<InputProjection, B> input_proj;
    typename B::Memory pos_embed;
    std::array<WeightsOf<Encoder, B>, N> encoder;
    WeightsOf<First, B> first;
    std::array<WeightsOf<Decoder, B>, N - 1> rest;
    WeightsOf<Norm, B> norm;
    WeightsOf<OutputProjection, B> output_proj;

    void prepare(const Preparation<B>& how, const Parameters<T>& p) {
      how.next(p.input_proj);
      input_proj.prepare(how, p.input_proj);
      assign<B>(how.context, pos_embed, p.pos_embed, Tokens * C);
      for (std::size_t i = 0; i < N; ++i) {
        how.next(p.encoder.layers[i]);
        encoder[i].prepare(how, p.encoder.layers[i]);
      }
      how.next(p.decoder.layers[0]);
      if constexpr (S.query)
        first.prepare(how, {p.query_embed, p.decoder.layers[0]}, positions());
      else
        first.prepare(how, p.decoder.layers[0]);
      for (std::size_t i = 0; i + 1 < N; ++i) {
        how.next(p.decoder.layers[i + 1]);
        rest[i].prepare(how, p.decoder.layers[i + 1]);
      }
      norm.prepare(how, p.decoder.norm);
      how.next(p.output_proj);
      output_proj.prepare(how, p.output_proj);
    }

    /// Writes y, the reconstruction of f; both are (batch·Tokens, Features). In inference the layers share memory.
    Kept forward(const Pass<B>& outer, In f, Out y, Arena<T>& arena) const {
      const auto scope = outer.activations(arena);
      const Pass<B> pass = with_positions(outer, {});
      Kept kept;
      // Takes the output of layer `i`. In inference its memory is that of the input of layer i − 1, no longer needed.
      const auto take = [&](std::array<MatrixOut<B>, N + 1>& outputs, std::size_t i) {
        const bool reuses = !pass.training() && i >= 2 && outputs[i - 2].data != nullptr;
        return outputs[i] = reuses ? outputs[i - 2] : take_rows(arena, f.rows, C);
      };
      input_proj.forward(pass, f, take(kept.encoded, 0), arena);
      if constexpr (!S.query) B::copy(pass.context, kept.encoded[0], take(kept.decoded, 0));
      for (std::size_t i = 0; i < N; ++i)
        kept.encoder[i] =
            encoder[i].forward(pass.from(encoder_site(i)), kept.encoded[i], take(kept.encoded, i + 1), arena);
      kept.memory_key = take_rows(arena, f.rows, C);
      B::add_positions(pass.context, kept.encoded[N], pass.positions, kept.memory_key);
      const auto memory = memory_of(kept);
      kept.first = first.forward(pass.from(decoder_site(0)), input_of_first(kept), take(kept.decoded, 1), arena);
      for (std::size_t i = 1; i < N; ++i)
        kept.rest[i - 1] = rest[i - 1].forward(pass.from(decoder_site(i)), {kept.decoded[i], memory},
                                               take(kept.decoded, i + 1), arena);
      kept.normalised = take_rows(arena, f.rows, C);
      kept.norm = norm.forward(pass, kept.decoded[N], kept.normalised, arena);
      output_proj.forward(pass, kept.normalised, y, arena);
      return kept;
    }

    /// Adds to `gradient` the gradient of every parameter, given dy, the gradient of the reconstruction. Computes df
    /// unless it is a null view.
    void backward(const Pass<B>& outer, In f, const Kept& kept, MatrixIn<B> dy, const Parameters<T>& gradient,
                  InGradient df, Arena<T>& arena) const {
      const ArenaScope<T> scope(arena);
      const Pass<B> pass = with_positions(outer, {gradient.pos_embed, Tokens, C});
      const auto d = take_rows(arena, f.rows, C), d_memory = take_rows(arena, f.rows, C);
      output_proj.backward(pass, kept.normalised, {}, dy, gradient.output_proj, d_memory, arena);
      norm.backward(pass, kept.decoded[N], kept.norm, d_memory, gradient.decoder.norm, d, arena);
      B::zero(pass.context, d_memory.data, f.rows * C);
      const auto memory = memory_of(kept);
      for (std::size_t i = N; i-- > 1;)
        rest[i - 1].backward(pass.from(decoder_site(i)), {kept.decoded[i], memory}, kept.rest[i - 1], d,
                             gradient.decoder.layers[i], {d, d_memory}, arena);
      const Pass<B> first_pass = pass.from(decoder_site(0));
      if constexpr (S.query)
        first.backward(first_pass, memory, kept.first, d, {gradient.query_embed, gradient.decoder.layers[0]}, d_memory,
                       arena);
      else
        first.backward(first_pass, input_of_first(kept), kept.first, d, gradient.decoder.layers[0], {d, d_memory},
                       arena);
      for (std::size_t i = N; i-- > 0;)
        encoder[i].backward(pass.from(encoder_site(i)), kept.encoded[i], kept.encoder[i], d_memory,
                            gradient.encoder.layers[i], d_memory, arena);
      if constexpr (!S.query) B::accumulate(pass.context, MatrixIn<B>(d), d_memory);
      input_proj.backward(pass, f, {}, d_memory, gradient.input_proj, df, arena);
    }

   private:
    [[nodiscard]] MatrixIn<B> positions() const { return {pos_embed.data(), Tokens, C}; }
    /// The pass as the transformer's layers see it.
    [[nodiscard]] Pass<B> with_positions(const Pass<B>& outer, MatrixOut<B> gradient) const {
      return {outer.context, outer.mode, outer.dropout, Tokens, positions(), gradient};
    }
    static typename WeightsOf<Decoder, B>::Memory memory_of(const Kept& kept) {
      return {kept.encoded[N], kept.memory_key};
    }
    static typename WeightsOf<First, B>::In input_of_first(const Kept& kept) {
      if constexpr (S.query)
        return memory_of(kept);
      else
        return {kept.decoded[0], memory_of(kept)};
    }
  };

 private:
  static constexpr Index encoder_site(std::size_t i) { return static_cast<Index>(i) * Encoder::dropout_sites; }
  static constexpr Index decoder_site(std::size_t i) {
    return S.layers * Encoder::dropout_sites + static_cast<Index>(i) * Decoder::dropout_sites;
  }
};
static_assert(TrainableLayer<Reconstruction<4, 8>>, "Reconstruction must be a TrainableLayer");

}  // namespace ADTR_ABI
}  // namespace adtr

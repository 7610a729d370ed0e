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
  using Query = QueryLayer<Tokens, S>;  ///< the decoder's first layer
  static constexpr Index macs = Tokens * (InputProjection::macs_per_token + OutputProjection::macs_per_token) +
                                S.layers * (Encoder::macs(Tokens) + Decoder::macs(Tokens));
  /// The same without what is computed once for all images.
  static constexpr Index inference_macs = S.query ? macs - Decoder::macs(Tokens) + Query::inference_macs : macs;

  template <class T>
  struct Parameters {
    struct EncoderPart {
      std::array<typename Encoder::template Parameters<T>, N> layers;
      template <class V>
      static constexpr void each(EncoderPart& self, V& visit) {
        visit("layers", self.layers);
      }
    };
    struct DecoderPart {
      std::array<typename Decoder::template Parameters<T>, N> layers;
      typename LayerNorm<C>::template Parameters<T> norm;
      template <class V>
      static constexpr void each(DecoderPart& self, V& visit) {
        visit("layers", self.layers);
        visit("norm", self.norm);
      }
    };
    typename InputProjection::template Parameters<T> input_proj;
    T* pos_embed = nullptr;    ///< (Tokens, C)
    T* query_embed = nullptr;  ///< (Tokens, C); null without a query
    EncoderPart encoder;
    DecoderPart decoder;
    typename OutputProjection::template Parameters<T> output_proj;

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
    typename InputProjection::template Weights<B> input_proj;
    typename B::Memory pos_embed;
    typename Query::template Weights<B> query;
    std::array<typename Encoder::template Weights<B>, N> encoder;
    std::array<typename Decoder::template Weights<B>, N> decoder;
    typename LayerNorm<C>::template Weights<B> norm;
    typename OutputProjection::template Weights<B> output_proj;
  };

  template <Backend B>
  static void prepare(const typename B::Context& context, const Parameters<typename B::Scalar>& p, Mode mode,
                      Weights<B>& w, const PartListener& parts = {}) {
    parts.next(p.input_proj);
    InputProjection::template prepare<B>(context, p.input_proj, mode, w.input_proj);
    assign<B>(context, w.pos_embed, p.pos_embed, Tokens * C);
    const Pass<B> pass{context, Tokens, MatrixIn<B>(w.pos_embed.data(), Tokens, C)};
    for (std::size_t i = 0; i < N; ++i) {
      parts.next(p.encoder.layers[i]);
      Encoder::template prepare<B>(context, p.encoder.layers[i], mode, w.encoder[i]);
    }
    for (std::size_t i = 0; i < N; ++i) {
      parts.next(p.decoder.layers[i]);
      if (S.query && i == 0)
        Query::template prepare<B>(pass, p.decoder.layers[0], p.query_embed, mode, w.decoder[0], w.query);
      else
        Decoder::template prepare<B>(context, p.decoder.layers[i], mode, w.decoder[i]);
    }
    LayerNorm<C>::template prepare<B>(context, p.decoder.norm, w.norm);
    parts.next(p.output_proj);
    OutputProjection::template prepare<B>(context, p.output_proj, mode, w.output_proj);
  }

  /// All activations between input and output. In inference all layers share the memory of one; in training each has
  /// its own.
  template <class T>
  struct Activations {
    std::array<typename Encoder::template Activations<T>, N> encoder;
    std::array<typename Decoder::template Activations<T>, N> decoder;
    std::array<T*, N + 1> encoded{}, decoded{};  ///< (rows, C): the input of each layer, and the output of the last
    T *memory_key = nullptr, *normalised = nullptr, *norm_statistics = nullptr;

    constexpr Activations() = default;
    constexpr Activations(Arena<T>& arena, Index rows, Mode mode) {
      const bool keep = mode == Mode::training;
      for (std::size_t i = 0; i <= N; ++i) encoded[i] = keep || i < 2 ? arena.take(rows * C) : encoded[i - 2];
      for (std::size_t i = 0; i <= N; ++i) decoded[i] = keep || i < 2 ? arena.take(rows * C) : decoded[i - 2];
      memory_key = arena.take(rows * C);
      normalised = arena.take(rows * C);
      norm_statistics = arena.take(rows * 2);
      const Index begin = arena.mark();
      for (std::size_t i = 0; i < N; ++i)
        encoder[i] = keep || i == 0 ? typename Encoder::template Activations<T>(arena, rows, mode) : encoder[0];
      const Index end = arena.mark();
      if (!keep) arena.release(begin);  // the encoder has finished when the decoder begins
      for (std::size_t i = 0; i < N; ++i)
        decoder[i] = keep || i == 0 ? typename Decoder::template Activations<T>(arena, rows, mode) : decoder[0];
      arena.skip_to(end);
    }
  };

  static constexpr Index activation_elements(Index batch, Mode mode) {
    Arena<float> arena;
    [[maybe_unused]] const Activations<float> measured(arena, batch * Tokens, mode);
    return arena.peak();
  }

  /// Writes y, the reconstruction of f; both are (batch·Tokens, Features).
  template <Backend B>
  static void forward(const typename B::Context& context, const Weights<B>& w, const Dropout& dropout,
                      const Activations<typename B::Scalar>& a, MatrixIn<B> f, MatrixOut<B> y) {
    const Pass<B> pass{context, Tokens, MatrixIn<B>(w.pos_embed.data(), Tokens, C), dropout};
    const auto rows = [&](auto* data) { return MatrixOut<B>(data, f.rows, C); };
    InputProjection::template forward<B>(context, w.input_proj, f, rows(a.encoded[0]));
    if constexpr (!S.query) B::copy(context, MatrixIn<B>(rows(a.encoded[0])), rows(a.decoded[0]));
    for (std::size_t i = 0; i < N; ++i)
      Encoder::template forward<B>(pass, w.encoder[i], encoder_site(i), a.encoder[i], rows(a.encoded[i]),
                                   rows(a.encoded[i + 1]));
    B::add_positions(context, rows(a.encoded[N]), pass.positions, rows(a.memory_key));
    const typename Decoder::template Memory<typename B::Scalar> memory{rows(a.encoded[N]), rows(a.memory_key)};
    if constexpr (S.query)
      Query::template forward<B>(pass, w.decoder[0], w.query, decoder_site(0), a.decoder[0], rows(a.decoded[0]), memory,
                                 rows(a.decoded[1]));
    else
      Decoder::template forward<B>(pass, w.decoder[0], decoder_site(0), a.decoder[0], rows(a.decoded[0]), memory,
                                   rows(a.decoded[1]));
    for (std::size_t i = 1; i < N; ++i)
      Decoder::template forward<B>(pass, w.decoder[i], decoder_site(i), a.decoder[i], rows(a.decoded[i]), memory,
                                   rows(a.decoded[i + 1]));
    LayerNorm<C>::template forward<B>(context, w.norm, rows(a.decoded[N]), rows(a.normalised), a.norm_statistics);
    OutputProjection::template forward<B>(context, w.output_proj, rows(a.normalised), y);
  }

  static constexpr Index gradient_scratch(Index batch) {
    return 2 * aligned_size<float>(batch * Tokens * C) + backward_scratch<S>(batch * Tokens);
  }

  /// Adds to `gradient` the gradient of every parameter, given dy, the gradient of the reconstruction.
  template <Backend B>
  static void backward(const typename B::Context& context, const Weights<B>& w, const Dropout& dropout,
                       const Activations<typename B::Scalar>& a, MatrixIn<B> f, MatrixIn<B> dy,
                       Parameters<typename B::Scalar>& gradient, Arena<typename B::Scalar> scratch) {
    const Pass<B> pass{context, Tokens, MatrixIn<B>(w.pos_embed.data(), Tokens, C), dropout};
    const auto rows = [&](auto* data) { return MatrixOut<B>(data, f.rows, C); };
    const MatrixOut<B> d_positions(gradient.pos_embed, Tokens, C);
    const auto d = rows(scratch.take(f.rows * C)), d_memory = rows(scratch.take(f.rows * C));
    OutputProjection::template backward<B>(context, w.output_proj, rows(a.normalised), dy, gradient.output_proj,
                                           d_memory);
    LayerNorm<C>::template backward<B>(context, w.norm, rows(a.decoded[N]), a.norm_statistics, d_memory,
                                       gradient.decoder.norm, d);
    B::zero(context, d_memory.data, f.rows * C);
    const typename Decoder::template Memory<typename B::Scalar> memory{rows(a.encoded[N]), rows(a.memory_key)};
    for (std::size_t i = N; i-- > 1;)
      Decoder::template backward<B>(pass, w.decoder[i], decoder_site(i), a.decoder[i], rows(a.decoded[i]), memory, d,
                                    gradient.decoder.layers[i], d, d_memory, d_positions, scratch);
    if constexpr (S.query)
      Query::template backward<B>(pass, w.decoder[0], w.query, decoder_site(0), a.decoder[0], rows(a.decoded[0]),
                                  memory, d, gradient.decoder.layers[0], MatrixOut<B>(gradient.query_embed, Tokens, C),
                                  d_memory, d_positions, scratch);
    else
      Decoder::template backward<B>(pass, w.decoder[0], decoder_site(0), a.decoder[0], rows(a.decoded[0]), memory, d,
                                    gradient.decoder.layers[0], d, d_memory, d_positions, scratch);
    for (std::size_t i = N; i-- > 0;)
      Encoder::template backward<B>(pass, w.encoder[i], encoder_site(i), a.encoder[i], rows(a.encoded[i]), d_memory,
                                    gradient.encoder.layers[i], d_memory, d_positions, scratch);
    if constexpr (!S.query) B::accumulate(context, MatrixIn<B>(d), d_memory);
    InputProjection::template backward<B>(context, w.input_proj, f, d_memory, gradient.input_proj, {});
  }

 private:
  static constexpr Index encoder_site(std::size_t i) { return static_cast<Index>(i) * Encoder::dropout_sites; }
  static constexpr Index decoder_site(std::size_t i) {
    return S.layers * Encoder::dropout_sites + static_cast<Index>(i) * Decoder::dropout_sites;
  }
};

}  // namespace ADTR_ABI
}  // namespace adtr

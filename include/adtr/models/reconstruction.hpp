/// The trained half of ADTR: a transformer that reconstructs a feature map from a learned query.
#pragma once

#include "adtr/nn/decoder_layer.hpp"
#include "adtr/nn/encoder_layer.hpp"

namespace adtr::inline ADTR_ABI {

/// Features (B·Tokens, Features) → 1×1 convolution → encoder → decoder, which starts from the query embedding instead
/// of the input, so that an anomaly cannot be copied through → 1×1 convolution → reconstruction (B·Tokens, Features).
template <Index Tokens, Index Features, TransformerSpec S = TransformerSpec{}>
struct Reconstruction {
  static constexpr Index tokens = Tokens;
  static constexpr Index features = Features;
  static constexpr TransformerSpec spec = S;
  static constexpr Index C = S.channels;
  static constexpr auto N = static_cast<std::size_t>(S.layers);
  using InputProjection = Linear<Features, C>;
  using OutputProjection = Linear<C, Features>;
  using Encoder = EncoderLayer<S>;
  using Decoder = DecoderLayer<S>;
  static constexpr Index macs = Tokens * (InputProjection::macs_per_token + OutputProjection::macs_per_token) +
                                S.layers * (Encoder::macs(Tokens) + Decoder::macs(Tokens));
  /// Without what depends on no image: the first decoder layer's attention to its target, and its queries to the
  /// memory.
  static constexpr Index inference_macs = macs - Decoder::Attend::macs(Tokens) - Tokens * C * C;

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
    T* query_embed = nullptr;  ///< (Tokens, C)
    EncoderPart encoder;
    DecoderPart decoder;
    typename OutputProjection::template Parameters<T> output_proj;

    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("input_proj", self.input_proj);
      visit("pos_embed", self.pos_embed, Shape{Tokens, C});
      visit("query_embed", self.query_embed, Shape{Tokens, C});
      visit("encoder", self.encoder);
      visit("decoder", self.decoder);
      visit("output_proj", self.output_proj);
    }
  };

  template <Backend B>
  struct Weights {
    typename InputProjection::template Weights<B> input_proj;
    Buffer<typename B::Scalar> pos_embed, query_embed;
    std::array<typename Encoder::template Weights<B>, N> encoder;
    std::array<typename Decoder::template Weights<B>, N> decoder;
    typename LayerNorm<C>::template Weights<B> norm;
    typename OutputProjection::template Weights<B> output_proj;
    /// Of the first decoder layer, in inference: t₁ and the projected queries of its attention to the memory, (Tokens,
    /// C). They depend on the query embedding alone, so on no image.
    Buffer<typename B::Scalar> first_target, first_query;
  };

  template <Backend B>
  static void prepare(const typename B::Context& context, const Parameters<typename B::Scalar>& p, Mode mode,
                      Weights<B>& w, const PartListener& parts = {}) {
    parts.next(p.input_proj);
    InputProjection::template prepare<B>(context, p.input_proj, mode, w.input_proj);
    assign(w.pos_embed, p.pos_embed, Tokens * C);
    assign(w.query_embed, p.query_embed, Tokens * C);
    for (std::size_t i = 0; i < N; ++i) {
      parts.next(p.encoder.layers[i]);
      Encoder::template prepare<B>(context, p.encoder.layers[i], mode, w.encoder[i]);
    }
    for (std::size_t i = 0; i < N; ++i) {
      parts.next(p.decoder.layers[i]);
      Decoder::template prepare<B>(context, p.decoder.layers[i], mode, w.decoder[i]);
    }
    LayerNorm<C>::template prepare<B>(p.decoder.norm, w.norm);
    parts.next(p.output_proj);
    OutputProjection::template prepare<B>(context, p.output_proj, mode, w.output_proj);
    if (mode == Mode::inference) prepare_first<B>(context, w);
  }

  /// Everything between input and output. In inference all layers share the memory of one; in training each has its
  /// own.
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
      if (!keep) arena.release(begin);  // the encoder is done when the decoder begins
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

  /// y, the reconstruction of f; both (batch·Tokens, Features).
  template <Backend B>
  static void forward(const typename B::Context& context, const Weights<B>& w, const Dropout& dropout,
                      const Activations<typename B::Scalar>& a, MatrixIn<B> f, MatrixOut<B> y) {
    const Pass<B> pass{context, Tokens, MatrixIn<B>(w.pos_embed.data(), Tokens, C), dropout};
    const auto rows = [&](auto* data) { return MatrixOut<B>(data, f.rows, C); };
    InputProjection::template forward<B>(context, w.input_proj, f, rows(a.encoded[0]));
    for (std::size_t i = 0; i < N; ++i)
      Encoder::template forward<B>(pass, w.encoder[i], encoder_site(i), a.encoder[i], rows(a.encoded[i]),
                                   rows(a.encoded[i + 1]));
    B::add_positions(context, rows(a.encoded[N]), pass.positions, rows(a.memory_key));
    const typename Decoder::template Memory<typename B::Scalar> memory{rows(a.encoded[N]), rows(a.memory_key)};
    const auto& first = a.decoder[0];
    if (dropout.active()) {
      repeat(w.query_embed.data(), rows(a.decoded[0]));
      Decoder::template attend_to_target<B>(pass, w.decoder[0], decoder_site(0), first, rows(a.decoded[0]));
    } else if (w.first_target.size() > 0) {
      repeat(w.first_target.data(), rows(first.first));
      repeat(w.first_query.data(), Decoder::Attend::projected(first.multihead_attn, f.rows, 0));
    } else {
      // The same for all images of a batch, so computed for one.
      Decoder::template attend_to_target<B>(pass, w.decoder[0], decoder_site(0), first, target<B>(w));
      repeat(first.first, rows(first.first));
      repeat(first.query_positions, rows(first.query_positions));
    }
    Decoder::template attend_to_memory<B>(pass, w.decoder[0], decoder_site(0), first,
                                          w.first_target.size() > 0 ? MatrixIn<B>{} : rows(first.query_positions),
                                          memory, rows(a.decoded[1]));
    for (std::size_t i = 1; i < N; ++i)
      Decoder::template forward<B>(pass, w.decoder[i], decoder_site(i), a.decoder[i], rows(a.decoded[i]), memory,
                                   rows(a.decoded[i + 1]));
    LayerNorm<C>::template forward<B>(context, w.norm, rows(a.decoded[N]), rows(a.normalised), a.norm_statistics);
    OutputProjection::template forward<B>(context, w.output_proj, rows(a.normalised), y);
  }

  static constexpr Index gradient_scratch(Index batch) {
    return 2 * aligned_size<float>(batch * Tokens * C) + backward_scratch<S>(batch * Tokens);
  }

  /// Adds to `gradient` what dy, the gradient of the reconstruction, gives every parameter.
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
    std::fill_n(d_memory.data, f.rows * C, typename B::Scalar{});
    const typename Decoder::template Memory<typename B::Scalar> memory{rows(a.encoded[N]), rows(a.memory_key)};
    for (std::size_t i = N; i-- > 1;)
      Decoder::template backward<B>(pass, w.decoder[i], decoder_site(i), a.decoder[i], rows(a.decoded[i]), memory, d,
                                    gradient.decoder.layers[i], d, d_memory, d_positions, scratch);
    first_backward<B>(pass, w, a, memory, d, gradient, d_memory, d_positions, scratch);
    for (std::size_t i = N; i-- > 0;)
      Encoder::template backward<B>(pass, w.encoder[i], encoder_site(i), a.encoder[i], rows(a.encoded[i]), d_memory,
                                    gradient.encoder.layers[i], d_memory, d_positions, scratch);
    InputProjection::template backward<B>(context, w.input_proj, f, d_memory, gradient.input_proj, {});
  }

 private:
  /// Gives every image of y the rows of x (Tokens, C), which may be those of the first image.
  template <class T>
  static void repeat(const T* x, MatrixView<T> y) {
    for (Index r = x == y.data ? Tokens : 0; r < y.rows; ++r) std::copy_n(x + r % Tokens * C, C, y.row(r));
  }

  /// What the decoder starts from.
  template <Backend B>
  static MatrixIn<B> target(const Weights<B>& w) {
    return {w.query_embed.data(), Tokens, C};
  }

  /// Of the first decoder layer: from d, the gradient of its output, to the query embedding's. Without dropout, what
  /// came before the attention to the memory was computed for one image, and so is its gradient.
  template <Backend B>
  static void first_backward(const Pass<B>& pass, const Weights<B>& w, const Activations<typename B::Scalar>& a,
                             const typename Decoder::template Memory<typename B::Scalar>& memory, MatrixOut<B> d,
                             Parameters<typename B::Scalar>& gradient, MatrixOut<B> d_memory, MatrixOut<B> d_positions,
                             Arena<typename B::Scalar> scratch) {
    const MatrixOut<B> d_query(gradient.query_embed, Tokens, C);
    const auto& layer_gradient = gradient.decoder.layers[0];
    if (pass.dropout.active()) {
      Decoder::template backward<B>(pass, w.decoder[0], decoder_site(0), a.decoder[0],
                                    MatrixIn<B>(a.decoded[0], d.rows, C), memory, d, layer_gradient, d, d_memory,
                                    d_positions, scratch);
      return B::accumulate_positions(pass.context, d, d_query);
    }
    const MatrixOut<B> d_first(scratch.take(d.rows * C), d.rows, C);
    Decoder::template memory_backward<B>(pass, w.decoder[0], decoder_site(0), a.decoder[0], memory, d, layer_gradient,
                                         d_first, d_memory, d_positions, scratch);
    const MatrixOut<B> sum(d.data, Tokens, C);
    std::fill_n(sum.data, Tokens * C, typename B::Scalar{});
    B::accumulate_positions(pass.context, d_first, sum);
    const MatrixOut<B> d_target(d_first.data, Tokens, C);
    Decoder::template target_backward<B>(pass, w.decoder[0], decoder_site(0), a.decoder[0], target<B>(w), sum,
                                         layer_gradient, d_target, d_positions, scratch);
    B::accumulate_positions(pass.context, d_target, d_query);
  }

  template <Backend B>
  static void prepare_first(const typename B::Context& context, Weights<B>& w) {
    using T = typename B::Scalar;
    using Attend = typename Decoder::Attend;
    Arena<T> size;
    [[maybe_unused]] const typename Decoder::template Activations<T> measured(size, Tokens, Mode::inference);
    const BuffersTogether apart(0);  // scratch that would stay among the weights
    Buffer<T> memory(size.peak());
    Arena<T> arena(memory.data(), memory.size());
    const typename Decoder::template Activations<T> a(arena, Tokens, Mode::inference);
    const Pass<B> pass{context, Tokens, MatrixIn<B>(w.pos_embed.data(), Tokens, C), {}};
    const auto& layer = w.decoder[0];
    Decoder::template attend_to_target<B>(pass, layer, 0, a, target<B>(w));
    assign(w.first_target, a.first, Tokens * C);
    if (w.first_query.size() == 0) w.first_query = Buffer<T>(Tokens * C);
    Attend::Out::template forward<B>(context, layer.multihead_attn.projections[0],
                                     MatrixIn<B>(a.query_positions, Tokens, C),
                                     MatrixOut<B>(w.first_query.data(), Tokens, C));
  }

  static constexpr Index encoder_site(std::size_t i) { return static_cast<Index>(i) * Encoder::dropout_sites; }
  static constexpr Index decoder_site(std::size_t i) {
    return S.layers * Encoder::dropout_sites + static_cast<Index>(i) * Decoder::dropout_sites;
  }
};

}  // namespace adtr::inline ADTR_ABI

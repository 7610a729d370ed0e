/// Ablations of ADTR that reconstruct features without attention: by a CNN, or by feed-forward layers only.
#pragma once

#include "adtr/nn/plain_layer.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Features (B·tokens, Features) → 1×1 convolution → 2·S.layers plain layers, the number of ADTR's encoder and decoder
/// layers together → 1×1 convolution → reconstruction. Only the narrow width and training keep an anomaly from being
/// copied through.
template <Index Height, Index Width, Index Features, TransformerSpec S>
struct PlainReconstruction {
  static_assert(S.mixing != Mixing::attention, "PlainReconstruction has no attention; see Reconstruction");
  static constexpr Index tokens = Height * Width;
  static constexpr Index features = Features;
  static constexpr TransformerSpec spec = S;
  static constexpr Index C = S.channels;
  static constexpr auto N = static_cast<std::size_t>(2 * S.layers);
  using InputProjection = Linear<Features, C>;
  using OutputProjection = Linear<C, Features>;
  using Layer = PlainLayer<Height, Width, S>;
  static constexpr Index macs = tokens * (InputProjection::macs_per_token + OutputProjection::macs_per_token) +
                                static_cast<Index>(N) * Layer::macs;
  static constexpr Index inference_macs = macs;

  template <class T>
  struct Parameters {
    typename InputProjection::template Parameters<T> input_proj;
    std::array<typename Layer::template Parameters<T>, N> layers;
    typename OutputProjection::template Parameters<T> output_proj;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("input_proj", self.input_proj);
      visit("layers", self.layers);
      visit("output_proj", self.output_proj);
    }
  };

  template <Backend B>
  struct Weights {
    typename InputProjection::template Weights<B> input_proj;
    std::array<typename Layer::template Weights<B>, N> layers;
    typename OutputProjection::template Weights<B> output_proj;
  };

  template <Backend B>
  static void prepare(const typename B::Context& context, const Parameters<typename B::Scalar>& p, Mode mode,
                      Weights<B>& w, const PartListener& parts = {}) {
    parts.next(p.input_proj);
    InputProjection::template prepare<B>(context, p.input_proj, mode, w.input_proj);
    for (std::size_t i = 0; i < N; ++i) {
      parts.next(p.layers[i]);
      Layer::template prepare<B>(context, p.layers[i], mode, w.layers[i]);
    }
    parts.next(p.output_proj);
    OutputProjection::template prepare<B>(context, p.output_proj, mode, w.output_proj);
  }

  /// Activations; in inference all layers share the memory of one.
  template <class T>
  struct Activations {
    std::array<typename Layer::template Activations<T>, N> layers;
    std::array<T*, N + 1> x{};  ///< (rows, C): the input of each layer, and the output of the last
    constexpr Activations() = default;
    constexpr Activations(Arena<T>& arena, Index rows, Mode mode) {
      const bool keep = mode == Mode::training;
      for (std::size_t i = 0; i <= N; ++i) x[i] = keep || i < 2 ? arena.take(rows * C) : x[i - 2];
      for (std::size_t i = 0; i < N; ++i)
        layers[i] = keep || i == 0 ? typename Layer::template Activations<T>(arena, rows) : layers[0];
    }
  };

  static constexpr Index activation_elements(Index batch, Mode mode) {
    Arena<float> arena;
    [[maybe_unused]] const Activations<float> measured(arena, batch * tokens, mode);
    return arena.peak();
  }

  /// Writes y, the reconstruction of f; both are (batch·tokens, Features).
  template <Backend B>
  static void forward(const typename B::Context& context, const Weights<B>& w, const Dropout& dropout,
                      const Activations<typename B::Scalar>& a, MatrixIn<B> f, MatrixOut<B> y) {
    const Pass<B> pass{context, tokens, {}, dropout};
    const auto rows = [&](auto* data) { return MatrixOut<B>(data, f.rows, C); };
    InputProjection::template forward<B>(context, w.input_proj, f, rows(a.x[0]));
    for (std::size_t i = 0; i < N; ++i)
      Layer::template forward<B>(pass, w.layers[i], site(i), a.layers[i], rows(a.x[i]), rows(a.x[i + 1]));
    OutputProjection::template forward<B>(context, w.output_proj, rows(a.x[N]), y);
  }

  static constexpr Index gradient_scratch(Index batch) {
    return aligned_size<float>(batch * tokens * C) + Layer::gradient_scratch(batch * tokens);
  }

  /// Adds to `gradient` the gradient of every parameter, given dy, the gradient of the reconstruction.
  template <Backend B>
  static void backward(const typename B::Context& context, const Weights<B>& w, const Dropout& dropout,
                       const Activations<typename B::Scalar>& a, MatrixIn<B> f, MatrixIn<B> dy,
                       Parameters<typename B::Scalar>& gradient, Arena<typename B::Scalar> scratch) {
    const Pass<B> pass{context, tokens, {}, dropout};
    const auto rows = [&](auto* data) { return MatrixOut<B>(data, f.rows, C); };
    const auto d = rows(scratch.take(f.rows * C));
    OutputProjection::template backward<B>(context, w.output_proj, rows(a.x[N]), dy, gradient.output_proj, d);
    for (std::size_t i = N; i-- > 0;)
      Layer::template backward<B>(pass, w.layers[i], site(i), a.layers[i], rows(a.x[i]), d, gradient.layers[i], d,
                                  scratch);
    InputProjection::template backward<B>(context, w.input_proj, f, d, gradient.input_proj, {});
  }

 private:
  static constexpr Index site(std::size_t i) { return static_cast<Index>(i) * Layer::dropout_sites; }
};

}  // namespace ADTR_ABI
}  // namespace adtr

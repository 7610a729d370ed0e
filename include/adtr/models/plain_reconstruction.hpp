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
  using Plain = PlainLayer<Height, Width, S>;
  static constexpr Index macs = tokens * (InputProjection::macs_per_token + OutputProjection::macs_per_token) +
                                static_cast<Index>(N) * Plain::macs;
  static constexpr Index inference_macs = macs;

  template <class T>
  struct Parameters {
    ParametersOf<InputProjection, T> input_proj;
    std::array<ParametersOf<Plain, T>, N> layers;
    ParametersOf<OutputProjection, T> output_proj;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("input_proj", self.input_proj);
      visit("layers", self.layers);
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
      std::array<MatrixOut<B>, N + 1> x;  ///< (rows, C): the input of each layer, and the output of the last
      std::array<typename WeightsOf<Plain, B>::Kept, N> layers;
    };
    WeightsOf<InputProjection, B> input_proj;
    std::array<WeightsOf<Plain, B>, N> layers;
    WeightsOf<OutputProjection, B> output_proj;

    void prepare(const Preparation<B>& how, const Parameters<T>& p) {
      how.next(p.input_proj);
      input_proj.prepare(how, p.input_proj);
      for (std::size_t i = 0; i < N; ++i) {
        how.next(p.layers[i]);
        layers[i].prepare(how, p.layers[i]);
      }
      how.next(p.output_proj);
      output_proj.prepare(how, p.output_proj);
    }

    /// Writes y, the reconstruction of f; both are (batch·tokens, Features). In inference the layers share memory.
    Kept forward(const Pass<B>& pass, In f, Out y, Arena<T>& arena) const {
      const auto scope = pass.activations(arena);
      Kept kept;
      for (std::size_t i = 0; i <= N; ++i)
        kept.x[i] = pass.training() || i < 2 ? take_rows(arena, f.rows, C) : kept.x[i - 2];
      input_proj.forward(pass, f, kept.x[0], arena);
      for (std::size_t i = 0; i < N; ++i)
        kept.layers[i] = layers[i].forward(pass.from(site(i)), kept.x[i], kept.x[i + 1], arena);
      output_proj.forward(pass, kept.x[N], y, arena);
      return kept;
    }

    /// Adds to `gradient` the gradient of every parameter, given dy, the gradient of the reconstruction. Computes df
    /// unless it is a null view.
    void backward(const Pass<B>& pass, In f, const Kept& kept, MatrixIn<B> dy, const Parameters<T>& gradient,
                  InGradient df, Arena<T>& arena) const {
      const ArenaScope<T> scope(arena);
      const auto d = take_rows(arena, f.rows, C);
      output_proj.backward(pass, kept.x[N], {}, dy, gradient.output_proj, d, arena);
      for (std::size_t i = N; i-- > 0;)
        layers[i].backward(pass.from(site(i)), kept.x[i], kept.layers[i], d, gradient.layers[i], d, arena);
      input_proj.backward(pass, f, {}, d, gradient.input_proj, df, arena);
    }
  };

 private:
  static constexpr Index site(std::size_t i) { return static_cast<Index>(i) * Plain::dropout_sites; }
};
static_assert(TrainableLayer<PlainReconstruction<2, 2, 8, TransformerSpec{.mixing = Mixing::none}>>,
              "PlainReconstruction must be a TrainableLayer");

}  // namespace ADTR_ABI
}  // namespace adtr

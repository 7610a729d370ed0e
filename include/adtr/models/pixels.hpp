/// The "backbone" of the pixel-reconstruction ablation: it computes nothing, and a token holds the pixels of its patch.
#pragma once

#include "adtr/models/backbone.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Turns each patch of Factor×Factor pixels into one position with Factor²·C channels, in (y, x, channel) order.
template <class Input_, Index Factor>
struct SpaceToDepth {
  using Input = Input_;
  static_assert(Input::height % Factor == 0 && Input::width % Factor == 0, "SpaceToDepth: patches must fill the map");
  using Output = Extents<Input::height / Factor, Input::width / Factor, Factor * Factor * Input::channels>;
  static constexpr Index macs = 0;

  template <class T>
  struct Parameters {
    template <class V>
    static constexpr void each(Parameters&, V&) {}
  };
  template <Backend B>
  struct Weights {
    using In = MapIn<B>;
    using Out = MapOut<B>;

    void prepare(const Preparation<B>&, const Parameters<typename B::Scalar>&) {}

    void forward(const Pass<B>& pass, In x, Out y, Arena<typename B::Scalar>& /*arena*/) const {
      constexpr Index line = Factor * Input::channels;
      for (Index n = 0; n < x.batch; ++n)
        for (Index row = 0; row < Input::height; ++row)  // one line of every patch in this row of patches
          B::copy(pass.context, MatrixIn<B>(x.pixel(n, row, 0), Output::width, line),
                  MatrixOut<B>(y.pixel(n, row / Factor, 0) + row % Factor * line, Output::width, line, y.stride));
    }
  };
};
static_assert(Layer<SpaceToDepth<Extents<4, 4, 3>, 2>>, "SpaceToDepth must be a Layer");

/// Square images cut into 16×16 patches: at 256×256 as many positions as ADTR's grid.
template <class Image>
using Pixels = Backbone<Sequential<Named<"", SpaceToDepth<Image, 16>>>, 0>;

}  // namespace ADTR_ABI
}  // namespace adtr

/// The "backbone" of the pixel-reconstruction ablation: it computes nothing, and a token holds the pixels of its patch.
#pragma once

#include "adtr/models/backbone.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Turns each patch of Factor×Factor pixels into one position with Factor²·C channels, in (y, x, channel) order.
template <class In, Index Factor>
struct SpaceToDepth {
  static_assert(In::height % Factor == 0 && In::width % Factor == 0, "SpaceToDepth: patches must fill the map");
  using Input = In;
  using Output = Extents<In::height / Factor, In::width / Factor, Factor * Factor * In::channels>;
  static constexpr const char* name = "SpaceToDepth";
  static constexpr Index macs = 0;

  template <class T>
  struct Parameters {
    template <class V>
    static constexpr void each(Parameters&, V&) {}
  };
  template <Backend B>
  struct Weights {};
  template <Backend B>
  static void prepare(const typename B::Context&, const Parameters<typename B::Scalar>&, Weights<B>&) {}

  /// Elements of scratch memory that `forward` needs per image.
  template <Backend B>
  static constexpr Index scratch = 0;

  template <Backend B>
  static void forward(const typename B::Context&, const Weights<B>&, Padding /*padding*/, MapIn<B> x, MapOut<B> y,
                      typename B::Scalar* /*scratch*/) {
    static_assert(B::on_host, "SpaceToDepth, an ablation's layer, works in the host's memory");
    constexpr Index line = Factor * In::channels;
    for (Index n = 0; n < x.batch; ++n)
      for (Index row = 0; row < In::height; ++row)
        for (Index column = 0; column < Output::width; ++column)
          std::copy_n(x.pixel(n, row, column * Factor), line, y.pixel(n, row / Factor, column) + row % Factor * line);
  }
};

/// Square images cut into 16×16 patches: at 256×256 as many positions as ADTR's grid.
template <class Image>
using Pixels = Backbone<Sequential<Named<"", SpaceToDepth<Image, 16>>>, 0>;

}  // namespace ADTR_ABI
}  // namespace adtr

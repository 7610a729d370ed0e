/// A frozen backbone as a feature extractor: the outputs of some of its layers, the taps, are resized to one grid and
/// concatenated.
#pragma once

#include <algorithm>
#include <array>
#include <functional>

#include "adtr/core/buffer.hpp"
#include "adtr/nn/sequential.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The size of the feature map that ADTR works on.
template <Index Height, Index Width>
struct Grid {
  static constexpr Index height = Height;
  static constexpr Index width = Width;
};

namespace detail {
/// Whether `Tap` is the number of one of `Layers` layers. A type, so that a compiler's message shows both numbers.
template <std::size_t Tap, std::size_t Layers>
struct CheckedTap {
  static_assert(Tap < Layers, "a tap of a Backbone must be the number of one of its layers, which count from 0");
  static constexpr bool exists = Tap < Layers;
};
}  // namespace detail

/// `Layers` (a Sequential) with taps after the layers numbered in `Taps`, ascending. Do not list layers after the last
/// tap: they would be computed for nothing.
template <class Layers_, std::size_t... Taps>
struct Backbone {
  using Layers = Layers_;
  using Input = typename Layers::Input;
  static_assert(sizeof...(Taps) > 0, "a Backbone needs at least one tap: the number of a layer, which count from 0");
  static constexpr std::array<std::size_t, sizeof...(Taps)> taps{Taps...};
  static_assert(std::adjacent_find(taps.begin(), taps.end(), std::greater_equal<>()) == taps.end(),
                "the taps of a Backbone must be in ascending order");
  static constexpr Index channels = [] {
    if constexpr ((detail::CheckedTap<Taps, Layers::size>::exists && ...))
      return (Layers::template Layer<Taps>::Output::channels + ... + Index{0});
    else
      return Index{1};  // avoids further messages about the same error
  }();
  static constexpr Index macs = Layers::macs;
  /// The shape of tap K.
  template <std::size_t K>
  using Tap = typename Layers::template Layer<taps[K]>::Output;

  template <class T>
  using Parameters = ParametersOf<Layers, T>;

  template <Backend B>
  struct Weights {
    using T = typename B::Scalar;
    using In = MapIn<B>;
    using Out = MapOut<B>;
    WeightsOf<Layers, B> layers;
    Pooling pooling = Pooling::bilinear;

    void prepare(const Preparation<B>& how, const Parameters<T>& p) {
      layers.prepare(how, p);
      pooling = how.pooling;
    }

    /// Computes features (batch, grid, channels) from images (batch, Input), which are normalised as the weights
    /// expect.
    void forward(const Pass<B>& pass, In images, Out features, Arena<T>& arena) const {
      Index channel = 0;
      visit_taps(pass, images, arena, [&](std::size_t, MapIn<B> map) {
        MapOut<B> slice = features;
        slice.data += channel;
        slice.channels = map.channels;
        if (pooling == Pooling::area)
          B::resize_area(pass.context, map, slice);
        else
          B::resize(pass.context, map, slice);
        channel += map.channels;
      });
    }

    /// Calls tap(number, map) for every tap as soon as it is computed, before its memory is reused.
    template <class F>
    void visit_taps(const Pass<B>& pass, In images, Arena<T>& arena, F&& tap) const {
      const ArenaScope<T> scope(arena);
      const auto last = take_maps<typename Layers::Output>(arena, images.batch);
      layers.forward(pass, images, last, arena, [&](auto k, MapIn<B> map) {
        for (std::size_t t = 0; t < taps.size(); ++t)
          if (taps[t] == k()) tap(t, map);
      });
    }
  };
};

/// The same layers with only the last tap, for an ablation.
template <class B>
struct LastTapOf;
template <class Layers, std::size_t... Taps>
struct LastTapOf<Backbone<Layers, Taps...>> {
  using type = Backbone<Layers, (std::max)({Taps...})>;
};

}  // namespace ADTR_ABI
}  // namespace adtr

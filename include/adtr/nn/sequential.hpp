/// Layers in sequence: a stage (one block, then copies of another) and a list of named layers.
#pragma once

#include <tuple>
#include <utility>

#include "adtr/core/buffer.hpp"
#include "adtr/core/fixed_string.hpp"
#include "adtr/nn/convolution.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// One edge of a network: the output shape of layer `Before`, and the input shape that layer `After`, number `Number`,
/// expects. C++20 cannot put types into the message of a static_assert, so compilers print the message and this type
/// with its arguments, e.g. `Edge<MBConv<...>, MBConv<...>, 21, Extents<64, 64, 24>, Extents<64, 64, 32>>`.
template <class Before, class After, Index Number, class Gives = typename Before::Output,
          class Expects = typename After::Input>
struct Edge {
  static constexpr bool fits = std::is_same_v<Gives, Expects>;
  static_assert(fits,
                "a layer expects another shape than the layer before it gives: see Edge<Before, After, Number, Gives, "
                "Expects> in the lines around this one");
};

namespace detail {
template <class Numbers, class... Layers>
struct Edges;
template <std::size_t... K, class... Layers>
struct Edges<std::index_sequence<K...>, Layers...> {
  template <std::size_t N>
  using At = std::tuple_element_t<N, std::tuple<Layers...>>;
  static constexpr bool fit = (Edge<At<K>, At<K + 1>, static_cast<Index>(K) + 1>::fits && ... && true);
};
}  // namespace detail

/// A layer with its name in weight files; an empty name adds nothing to the names inside.
template <FixedString Name, class L>
struct Named {
  using Layer = L;
  static constexpr const char* name = Name.text;
};

/// `First`, then `Rest` N − 1 times. Blocks are named by their numbers. There are only two levels of types: a flat list
/// of all blocks of a network would take seconds and gigabytes to compile.
template <class First, class Rest, std::size_t N>
struct Stage {
  static_assert(N >= 1);
  using Input = typename First::Input;
  using Output = typename Rest::Output;
  static_assert(N == 1 || (Edge<First, Rest, 1>::fits && Edge<Rest, Rest, 2>::fits));
  static constexpr const char* name = "Stage";
  static constexpr std::size_t blocks = N;
  static constexpr Index macs = First::macs + static_cast<Index>(N - 1) * Rest::macs;

  template <class T>
  struct Parameters {
    typename First::template Parameters<T> first;
    std::array<typename Rest::template Parameters<T>, N - 1> rest;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("0", self.first);
      visit("", self.rest, 1);
    }
  };
  template <Backend B>
  struct Weights {
    typename First::template Weights<B> first;
    std::array<typename Rest::template Weights<B>, N - 1> rest;
  };

  template <Backend B>
  static void prepare(const typename B::Context& context, const Parameters<typename B::Scalar>& p, Weights<B>& w,
                      const PartListener& parts = {}) {
    parts.next(p.first);
    First::template prepare<B>(context, p.first, w.first);
    for (std::size_t i = 0; i + 1 < N; ++i) {
      parts.next(p.rest[i]);
      Rest::template prepare<B>(context, p.rest[i], w.rest[i]);
    }
  }

  template <Backend B>
  static constexpr Index scratch =
      (N > 1 ? aligned_size<float>(Output::size) : 0) + std::max(First::template scratch<B>,
                                                                 N > 1 ? Rest::template scratch<B> : 0);

  /// The map alternates between y and a piece of scratch, so that the last block writes y.
  template <Backend B>
  static void forward(const typename B::Context& context, const Weights<B>& w, Padding padding,
                      MapView<const typename B::Scalar> x, MapView<typename B::Scalar> y, typename B::Scalar* scratch) {
    auto other = N > 1 ? map_view<Output>(scratch, x.batch) : y;
    typename B::Scalar* inner = N > 1 ? scratch + aligned_size<float>(x.batch * Output::size) : scratch;
    auto current = N % 2 == 1 ? y : other;
    auto next = N % 2 == 1 ? other : y;
    First::template forward<B>(context, w.first, padding, x, current, inner);
    for (std::size_t i = 0; i + 1 < N; ++i) {
      Rest::template forward<B>(context, w.rest[i], padding, current, next, inner);
      std::swap(current, next);
    }
  }
};

/// Named layers in sequence; the shapes at each edge are checked.
template <class... NamedLayers>
struct Sequential {
  static constexpr std::size_t size = sizeof...(NamedLayers);
  template <std::size_t K>
  using Layer = typename std::tuple_element_t<K, std::tuple<NamedLayers...>>::Layer;
  using Input = typename Layer<0>::Input;
  using Output = typename Layer<size - 1>::Output;
  static constexpr const char* name = "Sequential";
  static_assert(detail::Edges<std::make_index_sequence<size - 1>, typename NamedLayers::Layer...>::fit);
  static constexpr Index macs = (NamedLayers::Layer::macs + ...);

  template <class T>
  struct Parameters {
    std::tuple<typename NamedLayers::Layer::template Parameters<T>...> layers;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      std::apply([&](auto&... layer) { (visit(NamedLayers::name, layer), ...); }, self.layers);
    }
  };
  template <Backend B>
  struct Weights {
    std::tuple<typename NamedLayers::Layer::template Weights<B>...> layers;
  };

  template <Backend B>
  static void prepare(const typename B::Context& context, const Parameters<typename B::Scalar>& p, Weights<B>& w,
                      const PartListener& parts = {}) {
    each_layer([&]<std::size_t K>() {
      if constexpr (requires { Layer<K>::blocks; }) {
        Layer<K>::template prepare<B>(context, std::get<K>(p.layers), std::get<K>(w.layers), parts);
      } else {
        parts.next(std::get<K>(p.layers));
        Layer<K>::template prepare<B>(context, std::get<K>(p.layers), std::get<K>(w.layers));
      }
    });
  }

  /// Size of the largest output of the even layers (0) and of the odd ones (1).
  static constexpr std::array<Index, 2> between = [] {
    std::array<Index, 2> largest{};
    std::size_t i = 0;
    ((largest[i % 2] = std::max(largest[i % 2], aligned_size<float>(NamedLayers::Layer::Output::size)), ++i), ...);
    return largest;
  }();
  /// Scratch for two maps between layers, and for the layer that needs most.
  template <Backend B>
  static constexpr Index scratch = between[0] + between[1] + std::max({NamedLayers::Layer::template scratch<B>...});

  template <Backend B>
  static void forward(const typename B::Context& context, const Weights<B>& w, Padding padding,
                      MapView<const typename B::Scalar> x, MapView<typename B::Scalar> y, typename B::Scalar* scratch) {
    forward<B>(context, w, padding, x, y, scratch, []<std::size_t>(const auto&) {});
  }

  /// The same; also calls `tap.template operator()<K>(map)` with the output of every layer K as soon as it is computed.
  template <Backend B, class Tap>
  static void forward(const typename B::Context& context, const Weights<B>& w, Padding padding,
                      MapView<const typename B::Scalar> x, MapView<typename B::Scalar> y, typename B::Scalar* scratch,
                      Tap&& tap) {
    MapView<const typename B::Scalar> current = x;
    each_layer([&]<std::size_t K>() {
      auto next = K + 1 == size && y.data != nullptr
                      ? y
                      : map_view<typename Layer<K>::Output>(scratch + (K % 2 == 0 ? 0 : x.batch * between[0]), x.batch);
      Layer<K>::template forward<B>(context, std::get<K>(w.layers), padding, current, next,
                                    scratch + x.batch * (between[0] + between[1]));
      tap.template operator()<K>(MapView<const typename B::Scalar>(next));
      current = next;
    });
  }

 private:
  template <class F>
  static constexpr void each_layer(F&& f) {
    [&]<std::size_t... K>(std::index_sequence<K...>) { (f.template operator()<K>(), ...); }
    (std::make_index_sequence<size>{});
  }
};

}  // namespace ADTR_ABI
}  // namespace adtr

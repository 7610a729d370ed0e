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
  static constexpr std::size_t blocks = N;
  static constexpr Index macs = First::macs + static_cast<Index>(N - 1) * Rest::macs;

  template <class T>
  struct Parameters {
    ParametersOf<First, T> first;
    std::array<ParametersOf<Rest, T>, N - 1> rest;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("0", self.first);
      visit("", self.rest, 1);
    }
  };

  template <Backend B>
  struct Weights {
    using T = typename B::Scalar;
    using In = MapIn<B>;
    using Out = MapOut<B>;
    WeightsOf<First, B> first;
    std::array<WeightsOf<Rest, B>, N - 1> rest;

    void prepare(const Preparation<B>& how, const Parameters<T>& p) {
      how.next(p.first);
      first.prepare(how, p.first);
      for (std::size_t i = 0; i + 1 < N; ++i) {
        how.next(p.rest[i]);
        rest[i].prepare(how, p.rest[i]);
      }
    }

    /// The map alternates between y and memory of the arena, so that the last block writes y.
    void forward(const Pass<B>& pass, In x, Out y, Arena<T>& arena) const {
      const ArenaScope<T> scope(arena);
      const auto other = N > 1 ? take_maps<Output>(arena, x.batch) : y;
      auto current = N % 2 == 1 ? y : other;
      auto next = N % 2 == 1 ? other : y;
      first.forward(pass, x, current, arena);
      for (const auto& block : rest) {
        block.forward(pass, current, next, arena);
        std::swap(current, next);
      }
    }
  };
};

namespace detail {
/// Objects of several types in the order of their numbers, as std::tuple has them. A tuple of a network's layers would
/// take half a second more to compile, because it checks what its elements can be constructed from.
template <std::size_t K, class T>
struct ListEntry {
  T value;
};
template <class Numbers, class... T>
struct ListEntries;
template <std::size_t... K, class... T>
struct ListEntries<std::index_sequence<K...>, T...> : ListEntry<K, T>... {};
template <class... T>
using List = ListEntries<std::index_sequence_for<T...>, T...>;

/// Object number K of a List.
template <std::size_t K, class T>
constexpr T& at(ListEntry<K, T>& entry) {
  return entry.value;
}
template <std::size_t K, class T>
constexpr const T& at(const ListEntry<K, T>& entry) {
  return entry.value;
}
}  // namespace detail

/// Named layers in sequence; the shapes at each edge are checked.
template <class... NamedLayers>
struct Sequential {
  static constexpr std::size_t size = sizeof...(NamedLayers);
  template <std::size_t K>
  using Layer = typename std::tuple_element_t<K, std::tuple<NamedLayers...>>::Layer;
  using Input = typename Layer<0>::Input;
  using Output = typename Layer<size - 1>::Output;
  static_assert((adtr::Layer<typename NamedLayers::Layer> && ...),
                "a layer of a Sequential lacks something that every layer has: see adtr/nn/layer.hpp");
  static_assert(detail::Edges<std::make_index_sequence<size - 1>, typename NamedLayers::Layer...>::fit);
  static constexpr Index macs = (NamedLayers::Layer::macs + ...);

  template <class T>
  struct Parameters {
    detail::List<ParametersOf<typename NamedLayers::Layer, T>...> layers;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      [&]<std::size_t... K>(std::index_sequence<K...>) { (visit(NamedLayers::name, detail::at<K>(self.layers)), ...); }
      (std::make_index_sequence<size>{});
    }
  };

  /// Size of the largest output of the even layers (0) and of the odd ones (1).
  static constexpr std::array<Index, 2> between = [] {
    std::array<Index, 2> largest{};
    std::size_t i = 0;
    ((largest[i % 2] = (std::max)(largest[i % 2], NamedLayers::Layer::Output::size), ++i), ...);
    return largest;
  }();

  template <Backend B>
  struct Weights {
    using T = typename B::Scalar;
    using In = MapIn<B>;
    using Out = MapOut<B>;
    detail::List<WeightsOf<typename NamedLayers::Layer, B>...> layers;

    void prepare(const Preparation<B>& how, const Parameters<T>& p) {
      each_layer([&](auto k) {
        const auto& parameters = detail::at<k()>(p.layers);
        if constexpr (!requires { Layer<k()>::blocks; }) how.next(parameters);  // a Stage announces its blocks
        detail::at<k()>(layers).prepare(how, parameters);
      });
    }

    void forward(const Pass<B>& pass, In x, Out y, Arena<T>& arena) const {
      forward(pass, x, y, arena, [](auto, const auto&) {});
    }

    /// The same; also calls `tap(k, map)` with the output of every layer k, a std::integral_constant, as soon as it is
    /// computed.
    template <class Tap>
    void forward(const Pass<B>& pass, In x, Out y, Arena<T>& arena, Tap&& tap) const {
      const ArenaScope<T> scope(arena);
      const std::array rooms{arena.take(x.batch * between[0]), arena.take(x.batch * between[1])};
      MapIn<B> current = x;
      each_layer([&](auto k) {
        const auto next = k() + 1 == size ? y : map_view<typename Layer<k()>::Output>(rooms[k() % 2], x.batch);
        detail::at<k()>(layers).forward(pass, current, next, arena);
        tap(k, MapIn<B>(next));
        current = next;
      });
    }
  };

 private:
  /// Calls f(k) for the number k of every layer, a std::integral_constant.
  template <class F>
  static constexpr void each_layer(F&& f) {
    [&]<std::size_t... K>(std::index_sequence<K...>) { (f(std::integral_constant<std::size_t, K>()), ...); }
    (std::make_index_sequence<size>{});
  }
};

}  // namespace ADTR_ABI
}  // namespace adtr

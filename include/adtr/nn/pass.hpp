/// What a layer is told: how to prepare its weights, and about the pass that it takes part in.
#pragma once

#include "adtr/backend/backend.hpp"
#include "adtr/core/arena.hpp"
#include "adtr/nn/padding.hpp"
#include "adtr/nn/parameters.hpp"
#include "adtr/nn/pooling.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Whether a pass is for inference only, or is followed by its gradient.
enum class Mode : std::uint8_t { inference, training };

/// How a layer stores its parameters for a backend.
template <Backend B>
struct Preparation {
  const typename B::Context& context;
  Mode mode = Mode::inference;  ///< training: what the gradient needs is stored as well
  Padding padding = Padding::symmetric;
  Pooling pooling = Pooling::bilinear;
  const PartListener& parts = no_listener();

  /// Announces the next part, a layer with parameters `p`, before it is prepared. A layer that contains many others
  /// (Stage, Sequential, Reconstruction) announces them; the others announce nothing.
  template <class P>
  void next(const P& p) const {
    parts.next(p);
  }

 private:
  static const PartListener& no_listener() {
    static const PartListener none;
    return none;
  }
};

/// What the layers of one forward or training pass share.
template <Backend B>
struct Pass {
  using T = typename B::Scalar;
  const typename B::Context& context;
  Mode mode = Mode::inference;
  Dropout dropout{};                  ///< its `site` is that of the layer's first dropout
  Index tokens = 0;                   ///< per image; rows = batch·tokens
  MatrixIn<B> positions{};            ///< (tokens, C), the positional embedding of a transformer
  MatrixOut<B> positions_gradient{};  ///< (tokens, C), to which backward passes add

  [[nodiscard]] bool training() const { return mode == Mode::training; }
  /// The layer's dropout number `site`, counted from 0.
  [[nodiscard]] Dropout at(Index site) const {
    Dropout d = dropout;
    d.site += static_cast<std::uint32_t>(site);
    return d;
  }
  /// The pass as an inner layer sees it, whose first dropout is this layer's number `site`.
  [[nodiscard]] Pass from(Index site) const {
    Pass inner = *this;
    inner.dropout = at(site);
    return inner;
  }
  /// For a layer's forward pass: what it takes from the arena within this scope is kept in training, for the backward
  /// pass, and released in inference.
  [[nodiscard]] ArenaScope<T> activations(Arena<T>& arena) const { return ArenaScope<T>(arena, !training()); }
};

/// Takes a matrix (rows, channels) from the arena.
template <class T>
[[nodiscard]] MatrixView<T> take_rows(Arena<T>& arena, Index rows, Index channels) {
  return {arena.take(rows * channels), rows, channels};
}

/// Takes the feature maps of `batch` images of shape E from the arena.
template <class E, class T>
[[nodiscard]] MapView<T> take_maps(Arena<T>& arena, Index batch) {
  return map_view<E>(arena.take(batch * E::size), batch);
}

}  // namespace ADTR_ABI
}  // namespace adtr

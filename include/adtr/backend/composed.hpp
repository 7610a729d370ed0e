/// The inverted residual block as a sequence of simpler operations, for backends that have no fused version.
#pragma once

#include "adtr/backend/arguments.hpp"
#include "adtr/core/buffer.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Base class of a backend B. It calls the other operations of B.
template <class B, class T>
struct Composed {
  static constexpr Index inverted_residual_scratch(const InvertedResidualShape& s) {
    return (s.expands ? aligned_size<float>(s.batch * s.in_height * s.in_width * s.channels) : 0) +
           aligned_size<float>(s.batch * s.out_height * s.out_width * s.channels) +
           s.batch * (2 * s.channels + s.squeezed);
  }

  template <class Context, class Packed>
  static void inverted_residual(const Context& context, MapView<const T> x, const InvertedResidual<T, Packed>& block,
                                T* scratch, MapView<T> y) {
    MapView<const T> wide = x;
    if (block.expand != nullptr) {
      const MapView<T> map(scratch, x.batch, x.height, x.width, block.channels);
      B::multiply(context, x.matrix(), *block.expand, {block.expand_bias, {}, block.activation}, map.matrix());
      wide = map;
      scratch += aligned_size<float>(map.pixels() * block.channels);
    }
    const MapView<T> filtered(scratch, y.batch, y.height, y.width, block.channels);
    B::depthwise(context, wide, block.window, block.depthwise, block.depthwise_bias, block.activation, filtered);
    if (block.excite.squeezed > 0)
      B::squeeze_excite(context, filtered, block.excite,
                        scratch + aligned_size<float>(filtered.pixels() * block.channels));
    B::multiply(context, MapView<const T>(filtered).matrix(), *block.project,
                {block.project_bias, block.residual ? x.matrix() : MatrixView<const T>{}, Activation::none},
                y.matrix());
  }
};

}  // namespace ADTR_ABI
}  // namespace adtr

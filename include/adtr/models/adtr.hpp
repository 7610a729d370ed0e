/// ADTR (You et al.): a transformer reconstructs the features of a frozen backbone, and the reconstruction error shows
/// anomalies.
#pragma once

#include "adtr/models/backbone.hpp"
#include "adtr/models/plain_reconstruction.hpp"
#include "adtr/models/reconstruction.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {
template <class Features, TransformerSpec S>
struct ReconstructionOf {
  using type = PlainReconstruction<Features::height, Features::width, Features::channels, S>;
};
template <class Features, TransformerSpec S>
requires(S.mixing == Mixing::attention) struct ReconstructionOf<Features, S> {
  using type = Reconstruction<Features::positions, Features::channels, S>;
};
}  // namespace detail

/// The whole network as a type; it holds no data.
template <class Backbone_, class Grid_, TransformerSpec S = TransformerSpec{}>
struct Adtr {
  using Backbone = Backbone_;
  using Image = typename Backbone::Input;
  /// The concatenated feature map, which is reconstructed.
  using Features = Extents<Grid_::height, Grid_::width, Backbone::channels>;
  /// The network that reconstructs it: a transformer, except in two ablations.
  using Transformer = typename detail::ReconstructionOf<Features, S>::type;
  /// Multiply-accumulates per image, from pixels to reconstruction.
  static constexpr Index macs = Backbone::macs + Transformer::macs;
  /// The same without what is computed once for all images.
  static constexpr Index inference_macs = Backbone::macs + Transformer::inference_macs;
  /// Number of parameters, trained and frozen.
  static constexpr Index parameters = parameter_count<typename Backbone::Layers> + parameter_count<Transformer>;
};

}  // namespace ADTR_ABI
}  // namespace adtr

/// ADTR (You et al.): a frozen backbone's features, a transformer that reconstructs them, and what it fails to.
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

/// The whole network as a type: nothing in it is data.
template <class Backbone_, class Grid_, TransformerSpec S = TransformerSpec{}>
struct Adtr {
  using Backbone = Backbone_;
  using Image = typename Backbone::Input;
  /// The concatenated map: what is reconstructed.
  using Features = Extents<Grid_::height, Grid_::width, Backbone::channels>;
  /// What reconstructs it: a transformer, but for two ablations.
  using Transformer = typename detail::ReconstructionOf<Features, S>::type;
  /// Multiply-accumulates of one image, from pixels to reconstruction.
  static constexpr Index macs = Backbone::macs + Transformer::macs;
  /// What of these is left to compute for an image.
  static constexpr Index inference_macs = Backbone::macs + Transformer::inference_macs;
  /// Trained and frozen.
  static constexpr Index parameters = parameter_count<typename Backbone::Layers> + parameter_count<Transformer>;
};

}  // namespace ADTR_ABI
}  // namespace adtr

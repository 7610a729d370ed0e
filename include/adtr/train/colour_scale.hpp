/// The colour scale for a model's heat maps when only its training images are available.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "adtr/core/extents.hpp"
#include "adtr/report/heat_map.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// A colour scale for images that were not trained on, estimated from the scores of the training images. A network
/// scores its training images lower than others, and the difference grows with the number of passes over them and
/// shrinks with the number of images. 1 + epochs/images, at most 2.5, approximates that factor (docs/design.md has the
/// measurements). `exponent`: the power of the reconstruction error in the scores, see reconstruction_exponent().
/// Held-out good images make the estimate unnecessary: see heat_scale().
[[nodiscard]] inline HeatScale training_scale(std::span<const float> training_scores, Index epochs, Index images,
                                              double exponent = 1.0) {
  const HeatScale scale = heat_scale(training_scores);
  const double passes = static_cast<double>(epochs) / static_cast<double>(images);
  const auto widening = static_cast<float>(std::pow((std::min)(1.0 + passes, 2.5), exponent));
  return {widening * scale.low, widening * scale.high};
}

}  // namespace ADTR_ABI
}  // namespace adtr

/// The colours that a model brings for its heat maps, where only its training images are there to take them from.
#pragma once

#include <algorithm>
#include <span>

#include "adtr/core/extents.hpp"
#include "adtr/report/heat_map.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// A scale for images that were not trained on, from the scores of those that were. A network scores the latter lower,
/// the more so the more passes it made over the fewer of them; 1 + epochs/images, at most 2.5, is about by how much
/// (docs/design.md has what was measured). Good images that were held out need no such guess: heat_scale().
[[nodiscard]] inline HeatScale training_scale(std::span<const float> training_scores, Index epochs, Index images) {
  const HeatScale scale = heat_scale(training_scores);
  const double passes = static_cast<double>(epochs) / static_cast<double>(images);
  const auto widening = static_cast<float>(std::min(1.0 + passes, 2.5));
  return {widening * scale.low, widening * scale.high};
}

}  // namespace ADTR_ABI
}  // namespace adtr

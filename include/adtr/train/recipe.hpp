/// How long, how fast and from where to train: the paper's recipe and the fast one.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "adtr/core/extents.hpp"

namespace adtr::inline ADTR_ABI {

enum class Recipe : std::uint8_t {
  fast,  ///< identity start, standardised features, warm-up and cosine, no dropout, z-scores: minutes
  paper  ///< You et al., section 4: Xavier start, a step schedule, dropout, plain norms: hours
};

/// Everything that decides a training run, beside the images and the network. Defaults come from training_options().
struct TrainingOptions {
  Recipe recipe = Recipe::fast;
  Index epochs = 20;
  Index batch = 16;
  double learning_rate = 4e-3;
  double weight_decay = 1e-4;
  double dropout = 0.0;
  /// The largest norm that the gradient of all parameters together may have; 0: no clipping.
  double clip = 0.0;
  std::uint64_t seed = 0;
};

[[nodiscard]] constexpr TrainingOptions training_options(Recipe recipe) {
  TrainingOptions o;
  o.recipe = recipe;
  if (recipe == Recipe::paper) {
    o.epochs = 500;
    o.learning_rate = 1e-4;
    o.dropout = 0.1;
  }
  return o;
}

/// The learning rate of step `step` (from 0) of `steps`, `steps_per_epoch` of which make an epoch.
/// fast: linear warm-up over 20 steps, however few there are, times a cosine that reaches 0 after the last step; a run
/// of fewer than 20 steps takes steps/20 of the rate, at least a quarter. paper: a tenth of the rate in the last fifth
/// of the epochs (epochs 400 to 499 of 500).
[[nodiscard]] inline double learning_rate(const TrainingOptions& o, Index step, Index steps, Index steps_per_epoch) {
  if (o.recipe == Recipe::paper) return o.learning_rate * (step / steps_per_epoch < o.epochs * 4 / 5 ? 1.0 : 0.1);
  // AdamW's first steps move every parameter by the whole rate, whatever the gradient's size: from the identity start
  // they throw the loss up, and a short run has no time to bring it down again.
  constexpr double warm_up = 20.0;
  const auto t = static_cast<double>(step);
  const auto n = static_cast<double>(steps);
  return o.learning_rate * std::clamp(n / warm_up, 0.25, 1.0) * std::min(1.0, (t + 1.0) / warm_up) * 0.5 *
         (1.0 + std::cos(std::numbers::pi * t / n));
}

}  // namespace adtr::inline ADTR_ABI

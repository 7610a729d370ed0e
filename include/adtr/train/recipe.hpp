/// Training schedules: the learning rate of each step.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include "adtr/train/training_options.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The learning rate of step `step` (from 0) of `steps`; an epoch has `steps_per_epoch` of them.
/// fast: linear warm-up over 20 steps, even in a shorter run, times a cosine that reaches 0 after the last step; a run
/// of fewer than 20 steps uses steps/20 of the rate, at least a quarter. paper: a tenth of the rate after
/// full_rate_share of the epochs (in epochs 400 to 499 of 500).
[[nodiscard]] inline double learning_rate(const TrainingOptions& o, Index step, Index steps, Index steps_per_epoch) {
  if (o.recipe == Recipe::paper) {
    const double full_epochs = o.full_rate_share * static_cast<double>(o.epochs) + 1e-9;  // against rounding down
    return o.learning_rate * (step / steps_per_epoch < static_cast<Index>(full_epochs) ? 1.0 : 0.1);
  }
  // AdamW's first steps move every parameter by the whole rate, whatever the size of the gradient. From the identity
  // start they would increase the loss, and a short run has no time to reduce it again.
  constexpr double warm_up = 20.0;
  const auto t = static_cast<double>(step);
  const auto n = static_cast<double>(steps);
  return o.learning_rate * std::clamp(n / warm_up, 0.25, 1.0) * (std::min)(1.0, (t + 1.0) / warm_up) * 0.5 *
         (1.0 + std::cos(std::numbers::pi * t / n));
}

}  // namespace ADTR_ABI
}  // namespace adtr

/// How long, how fast and from where to train: the paper's recipe and the fast one.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "adtr/core/extents.hpp"

namespace adtr {
inline namespace ADTR_ABI {

enum class Recipe : std::uint8_t {
  fast,  ///< identity start, standardised features, warm-up and cosine, no dropout, z-scores: minutes
  paper  ///< You et al., section 4: Xavier start, a step schedule, dropout, plain norms: hours
};

enum class Loss : std::uint8_t {
  norm,   ///< L_norm: normal images only
  pixel,  ///< L_px: which tokens are anomalous is known
  image   ///< L_img: which images are anomalous is known
};

[[nodiscard]] constexpr const char* name_of(Loss loss) {
  return loss == Loss::norm ? "norm" : loss == Loss::pixel ? "pixel" : "image";
}

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
  /// How far the tokens that the network sees are from those that it is to reconstruct, see add_jitter(); 0: not at
  /// all.
  double jitter = 0.3;
  std::uint64_t seed = 0;
  /// paper: the share of the epochs after which the learning rate is a tenth.
  double full_rate_share = 0.8;

  Loss loss = Loss::norm;
  double alpha = 0.003;              ///< weight of the losses' term for anomalies
  Index top_k = 20;                  ///< Loss::image: how many of an image's largest distances count
  double anomaly_probability = 0.5;  ///< that a normal image of a batch is replaced by an anomalous one
};

[[nodiscard]] constexpr TrainingOptions training_options(Recipe recipe) {
  TrainingOptions o;
  o.recipe = recipe;
  if (recipe == Recipe::paper) {
    o.epochs = 500;
    o.learning_rate = 1e-4;
    o.dropout = 0.1;
    o.jitter = 0.0;
  }
  return o;
}

/// Of the second stage: a trained normal-only model goes on with anomalies. paper: 300 epochs, 1e-4, a tenth of it from
/// epoch 200 on. fast: 10 epochs from a tenth of the first stage's rate.
[[nodiscard]] constexpr TrainingOptions second_stage_options(Recipe recipe) {
  TrainingOptions o = training_options(recipe);
  o.loss = Loss::pixel;
  o.epochs = recipe == Recipe::paper ? 300 : 10;
  if (recipe == Recipe::paper)
    o.full_rate_share = 2.0 / 3.0;
  else
    o.learning_rate *= 0.1;
  return o;
}

/// The learning rate of step `step` (from 0) of `steps`, `steps_per_epoch` of which make an epoch.
/// fast: linear warm-up over 20 steps, however few there are, times a cosine that reaches 0 after the last step; a run
/// of fewer than 20 steps takes steps/20 of the rate, at least a quarter. paper: a tenth of the rate after
/// full_rate_share of the epochs (in epochs 400 to 499 of 500).
[[nodiscard]] inline double learning_rate(const TrainingOptions& o, Index step, Index steps, Index steps_per_epoch) {
  if (o.recipe == Recipe::paper) {
    const double full_epochs = o.full_rate_share * static_cast<double>(o.epochs) + 1e-9;  // rounding of the product
    return o.learning_rate * (step / steps_per_epoch < static_cast<Index>(full_epochs) ? 1.0 : 0.1);
  }
  // AdamW's first steps move every parameter by the whole rate, whatever the gradient's size: from the identity start
  // they throw the loss up, and a short run has no time to bring it down again.
  constexpr double warm_up = 20.0;
  const auto t = static_cast<double>(step);
  const auto n = static_cast<double>(steps);
  return o.learning_rate * std::clamp(n / warm_up, 0.25, 1.0) * std::min(1.0, (t + 1.0) / warm_up) * 0.5 *
         (1.0 + std::cos(std::numbers::pi * t / n));
}

}  // namespace ADTR_ABI
}  // namespace adtr

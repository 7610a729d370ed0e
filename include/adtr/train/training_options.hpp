/// The options of a training run. A header of few includes, because adtr/runtime.hpp shares it.
#pragma once

#include <cstdint>

#include "adtr/core/extents.hpp"
#include "adtr/nn/pooling.hpp"

namespace adtr {
inline namespace ADTR_ABI {

enum class Recipe : std::uint8_t {
  fast,  ///< identity start, standardised features, warm-up and cosine, no dropout, z-scores: minutes
  paper  ///< You et al., section 4: Xavier start, a step schedule, dropout, plain norms: hours
};

[[nodiscard]] constexpr const char* name_of(Recipe recipe) { return recipe == Recipe::fast ? "fast" : "paper"; }

enum class Loss : std::uint8_t {
  norm,   ///< L_norm: normal images only
  pixel,  ///< L_px: anomalous tokens are known
  image   ///< L_img: anomalous images are known
};

[[nodiscard]] constexpr const char* name_of(Loss loss) {
  return loss == Loss::norm ? "norm" : loss == Loss::pixel ? "pixel" : "image";
}

/// Everything that determines a training run, besides the images and the network. training_options() gives the
/// defaults.
struct TrainingOptions {
  Recipe recipe = Recipe::fast;
  Index epochs = 20;
  Index batch = 16;
  double learning_rate = 4e-3;
  double weight_decay = 1e-4;
  double dropout = 0.0;
  /// Largest norm of the gradient of all parameters together; 0: no clipping.
  double clip = 0.0;
  /// Strength of the noise on the network's input tokens, see add_jitter(); 0: no noise.
  double jitter = 0.3;
  /// Number of tokens of the memory bank, at most. 0: no bank, or as many as the model that a run continues from has.
  Index bank = 0;
  /// How the taps are resized to the grid. A run that continues from a model takes the model's.
  Pooling pooling = Pooling::bilinear;
  std::uint64_t seed = 0;
  /// paper: share of the epochs at the full learning rate; a tenth of it afterwards.
  double full_rate_share = 0.8;

  Loss loss = Loss::norm;
  double alpha = 0.003;              ///< weight of the anomaly term of the loss
  Index top_k = 20;                  ///< Loss::image: number of largest distances that count
  double anomaly_probability = 0.5;  ///< probability that an anomalous image replaces a normal one
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

/// Options of the second stage, which continues training a normal-only model with anomalies. paper: 300 epochs at 1e-4,
/// a tenth of it from epoch 200 on. fast: 10 epochs at a tenth of the first stage's rate.
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

}  // namespace ADTR_ABI
}  // namespace adtr

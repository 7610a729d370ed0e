/// How backends find the nearest token of a bank.
///
/// The token b with the largest score x·b − ‖b‖²/2 is the nearest one, and all scores are a matrix product with a bias.
/// But in floats the scores of two tokens that are almost equally near may be in the wrong order, and a distance
/// computed from a score would be wrong by cancellation. So scores only rule tokens out: a token whose score is below
/// the largest one by more than rounding explains is not the nearest. The distances to the few others are computed from
/// their differences, and the smallest one is the result. It depends on neither the order nor the rounding of the
/// scores.
#pragma once

#include "adtr/core/extents.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Returns a bound for the rounding error of the difference of two scores, each a sum of `inputs` products in floats in
/// any order, for tokens whose norm is at most `max_norm`.
[[nodiscard]] constexpr float nearest_margin(Index inputs, float x_norm, float max_norm) {
  // A sum of n terms is off by at most n·2⁻²⁴ of the sum of their magnitudes (Higham, 2002). A few more roundings are
  // those of the bias, of the norms and of this bound.
  const float relative = 2.0F * static_cast<float>(inputs + 8) * 0x1p-24F;
  return relative * (x_norm * max_norm + 0.5F * max_norm * max_norm);
}

}  // namespace ADTR_ABI
}  // namespace adtr

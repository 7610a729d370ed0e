/// How many good images are held out: the network never trains on them, and their scores give the threshold.
///
/// A model without a threshold cannot give a verdict. So with 50 or more good images a fifth of them, at most 300, is
/// held out unless the user decides otherwise. What n held-out images promise if the threshold lies just above all
/// their scores:
///
///     good images       50      100     300     1000    from 1500 on
///     held out          10      20      60      200     300
///     expected rate     9.1 %   4.8 %   1.6 %   0.50 %  0.33 %    1/(n + 1), false alarms on average
///     95 % bound        25.9 %  13.9 %  4.9 %   1.5 %   0.99 %    Clopper and Pearson, see threshold_from_good()
///
/// With fewer than 50 good images a fifth is fewer than 10: their bound says little, and training needs the images
/// more. With 300 held-out images the bound is already below 1 %, and further images help training more. No extra
/// network is trained for this: the held-out images are simply left out of training.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "adtr/core/error.hpp"
#include "adtr/core/number_text.hpp"
#include "adtr/models/description.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// What decided the number of held-out images.
enum class HoldOutRule : std::uint8_t {
  asked,      ///< the user, with TrainingRequest::hold_out
  automatic,  ///< the default: a fifth from 50 good images on, at most 300
  continued   ///< the starting model: hold out exactly the images that it was not trained on
};

[[nodiscard]] constexpr const char* name_of(HoldOutRule rule) {
  return rule == HoldOutRule::asked ? "asked" : rule == HoldOutRule::automatic ? "automatic" : "continued";
}

inline constexpr std::size_t hold_out_from = 50;  ///< fewest good images with which the default holds some out
inline constexpr std::size_t hold_out_max = 300;
inline constexpr double hold_out_share = 0.2;

/// The held-out images: how many, and the seed that chooses them.
struct HoldOut {
  HoldOutRule rule = HoldOutRule::automatic;
  std::size_t images = 0;
  std::uint64_t seed = 0;
};

/// The default number of held-out images among `good` good images.
[[nodiscard]] inline std::size_t held_out_unasked(std::size_t good) {
  if (good < hold_out_from) return 0;
  return (std::min)(hold_out_max, static_cast<std::size_t>(std::lround(hold_out_share * static_cast<double>(good))));
}

/// The number of images in a share of the good images: at least one for a share above 0. Throws Error(option) if the
/// share is outside [0, 1) or leaves nothing to train on.
[[nodiscard]] inline std::size_t held_out_of(std::size_t good, double share) {
  if (!(share >= 0.0 && share < 1.0))
    throw Error("TrainingRequest::hold_out: expected at least 0 and less than 1, found " + number_text(share),
                ErrorCode::option);
  if (share == 0.0) return 0;
  const auto count = std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(share * static_cast<double>(good))));
  if (count < good) return count;
  throw Error("TrainingRequest::hold_out: expected a share that leaves at least one good image to train on, found " +
                  number_text(share) + " of " + std::to_string(good),
              ErrorCode::option);
}

}  // namespace ADTR_ABI
}  // namespace adtr

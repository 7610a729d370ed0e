/// How many of the good images are kept apart: the network never trains on them, and their scores give the threshold.
///
/// A model without a threshold judges nothing. So from 50 good images on a fifth of them is kept apart unless the user
/// says otherwise, and at most 300. What n held-out images promise, with the threshold just above all of their scores:
///
///   good images       50      100     300     1000    from 1500 on
///   held out          10      20      60      200     300
///   expected rate     9.1 %   4.8 %   1.6 %   0.50 %  0.33 %    1/(n + 1), false alarms on average
///   95 % bound        25.9 %  13.9 %  4.9 %   1.5 %   0.99 %    Clopper and Pearson, see threshold_from_good()
///
/// Below 50 a fifth is fewer than 10 images: their bound says little, and training misses them more. Beyond 300 the
/// bound is below 1 % already, and further images teach the network more. No network is trained anew for it: the images
/// that are kept apart are simply not trained on.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "adtr/core/error.hpp"
#include "adtr/models/description.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Who decided how many images are held out.
enum class HoldOutRule : std::uint8_t {
  asked,      ///< the user: TrainingRequest::hold_out
  automatic,  ///< nobody: a fifth from 50 good images on, at most 300
  continued   ///< the model that training goes on from: the images that it was not trained on, and no others
};

[[nodiscard]] constexpr const char* name_of(HoldOutRule rule) {
  return rule == HoldOutRule::asked ? "asked" : rule == HoldOutRule::automatic ? "automatic" : "continued";
}

inline constexpr std::size_t hold_out_from = 50;  ///< good images from which on some are held out unasked
inline constexpr std::size_t hold_out_most = 300;
inline constexpr double hold_out_share = 0.2;

/// Which images are held out: so many, drawn with this seed.
struct HoldOut {
  HoldOutRule rule = HoldOutRule::automatic;
  std::size_t images = 0;
  std::uint64_t seed = 0;
};

/// How many of so many good images are held out where nobody says.
[[nodiscard]] inline std::size_t held_out_unasked(std::size_t good) {
  if (good < hold_out_from) return 0;
  return std::min(hold_out_most, static_cast<std::size_t>(std::lround(hold_out_share * static_cast<double>(good))));
}

/// How many a share of them is: at least one for a share above 0. Throws Error(option) on a share outside [0, 1) or one
/// that leaves nothing to train on.
[[nodiscard]] inline std::size_t held_out_of(std::size_t good, double share) {
  if (!(share >= 0.0 && share < 1.0))
    throw Error("TrainingRequest::hold_out: expected at least 0 and less than 1, found " + detail::number_text(share),
                ErrorCode::option);
  if (share == 0.0) return 0;
  const auto count = std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(share * static_cast<double>(good))));
  if (count < good) return count;
  throw Error("TrainingRequest::hold_out: expected a share that leaves at least one good image to train on, found " +
                  detail::number_text(share) + " of " + std::to_string(good),
              ErrorCode::option);
}

}  // namespace ADTR_ABI
}  // namespace adtr

/// Draws score maps as pictures: a colour map, a fixed scale for a whole run, and the overlay on the input.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "adtr/core/abi.hpp"
#include "adtr/core/error.hpp"
#include "adtr/core/number_text.hpp"
#include "adtr/metrics/score_histogram.hpp"

namespace adtr {
inline namespace ADTR_ABI {

using Rgb = std::array<std::uint8_t, 3>;

/// The colours run from pale yellow over orange and red to crimson, in equal steps. They were computed in OKLCH
/// (Ottosson 2020): lightness falls linearly from 0.93 to 0.45 while the hue turns from 105° to 15°, at 97 % of the
/// chroma that sRGB can show. Lightness alone orders the colours, so that the map can be read in grey and by the
/// colour-blind. High scores are dark because the map lies over photographs, where the high end must stand out and the
/// low end must vanish.
inline constexpr std::array<Rgb, 17> heat_colours{{{252, 238, 36},
                                                   {252, 223, 34},
                                                   {250, 209, 32},
                                                   {247, 195, 30},
                                                   {244, 181, 28},
                                                   {239, 168, 26},
                                                   {235, 154, 24},
                                                   {229, 141, 22},
                                                   {224, 128, 20},
                                                   {218, 114, 18},
                                                   {213, 100, 16},
                                                   {208, 84, 14},
                                                   {204, 65, 12},
                                                   {200, 39, 10},
                                                   {191, 15, 28},
                                                   {175, 12, 44},
                                                   {159, 10, 52}}};

/// The colour at t, which is clamped to [0, 1]. Colours between the entries of heat_colours are interpolated linearly.
[[nodiscard]] inline Rgb heat_colour(float t) {
  const float position = std::clamp(t, 0.0F, 1.0F) * static_cast<float>(heat_colours.size() - 1);
  const std::size_t i = (std::min)(static_cast<std::size_t>(position), heat_colours.size() - 2);
  const float f = position - static_cast<float>(i);
  Rgb colour{};
  for (std::size_t c = 0; c < 3; ++c) {
    const float mixed = (1.0F - f) * heat_colours[i][c] + f * heat_colours[i + 1][c];
    colour[c] = static_cast<std::uint8_t>(std::lround(mixed));
  }
  return colour;
}

/// The raw scores at which colour begins and at which it is strongest. They are fixed for a run, so that the same score
/// has the same colour in every image.
struct HeatScale {
  float low;
  float high;
};

/// The opacity of the colour at t in [0, 1]. It is 0 at 0 and rises fast, so that a defect with half the strongest
/// score is easy to see. It ends at 0.8, so that the part below stays visible.
[[nodiscard]] constexpr float heat_opacity(float t) { return 0.8F * t * (2.0F - t); }

namespace detail {

inline float quantile(std::vector<float>& scores, double q) {
  const auto nth =
      scores.begin() + static_cast<std::ptrdiff_t>(std::lround(q * static_cast<double>(scores.size() - 1)));
  std::nth_element(scores.begin(), nth, scores.end());
  return *nth;
}

/// The scale from the quantiles of good images and of defective ones, if there are any.
template <class Good, class Defective>
HeatScale scale_of_quantiles(Good good, bool has_defective, Defective defective) {
  const float median = good(0.5);
  const float low = good(0.95);
  const float noise = good(0.995) - median;
  float high = median + 3.0F * noise;
  if (has_defective) high = (std::max)(median + 1.5F * noise, defective(0.99));
  // Constant scores have no spread, but the scale must not be empty.
  if (!(high > low)) high = low + (std::max)(std::abs(low), 1.0F);
  return {low, high};
}

inline Error no_good_scores() {
  return Error("colour scale: expected pixel scores of good parts, found none", ErrorCode::bad_data);
}

inline Error scores_not_finite() {
  return Error("colour scale: expected finite pixel scores, found NaN or infinity", ErrorCode::bad_data);
}

inline void require_pixels(const char* what, std::size_t found, std::size_t height, std::size_t width,
                           std::size_t channels) {
  if (found == height * width * channels) return;
  throw Error(std::string(what) + ": expected " + std::to_string(height) + "×" + std::to_string(width) + "×" +
                  std::to_string(channels) + " values, found " + std::to_string(found),
              ErrorCode::shape);
}

}  // namespace detail

/// The scale of a run, from the pixel scores of its good images and of its defective ones, if there are any. Colour
/// begins faintly at the 95 % quantile of the good parts. It is strongest at the 99 % quantile of the defective images,
/// which does not depend on their number, but at least 1.5 times as far above the good parts' median as their 99.5 %
/// quantile, so that noise is not painted red if defects are small or faint. Without defective images it is unknown how
/// high defects score; three times as far is a middle value for the data sets that were measured (docs/design.md).
/// Throws Error if there are no good scores or a score is not finite.
[[nodiscard]] inline HeatScale heat_scale(std::span<const float> good, std::span<const float> defective = {}) {
  if (good.empty()) throw detail::no_good_scores();
  const auto finite = [](std::span<const float> scores) {
    return std::all_of(scores.begin(), scores.end(), [](float score) { return std::isfinite(score); });
  };
  if (!finite(good) || !finite(defective)) throw detail::scores_not_finite();
  std::vector<float> good_scores(good.begin(), good.end());
  std::vector<float> defective_scores(defective.begin(), defective.end());
  return detail::scale_of_quantiles([&](double q) { return detail::quantile(good_scores, q); }, !defective.empty(),
                                    [&](double q) { return detail::quantile(defective_scores, q); });
}

/// The same from histograms, for data sets of any size.
[[nodiscard]] inline HeatScale heat_scale(ScoreHistogram& good, ScoreHistogram& defective) {
  if (good.empty()) throw detail::no_good_scores();
  if (!good.finite() || !defective.finite()) throw detail::scores_not_finite();
  return detail::scale_of_quantiles([&](double q) { return good.quantile(q); }, !defective.empty(),
                                    [&](double q) { return defective.quantile(q); });
}

/// Draws the heat map over the input: rgb (H, W, 3) mixed with the colours of scores (H, W). The opacity is
/// heat_opacity() of the score's position on the scale, so pixels with scores at or below scale.low are unchanged.
/// Returns (H, W, 3). Throws Error if a size differs, the scale is empty or a score is NaN.
[[nodiscard]] inline std::vector<std::uint8_t> overlay(std::span<const std::uint8_t> rgb, std::span<const float> scores,
                                                       std::size_t height, std::size_t width, HeatScale scale) {
  detail::require_pixels("image", rgb.size(), height, width, 3);
  detail::require_pixels("score map", scores.size(), height, width, 1);
  if (!(scale.high > scale.low)) {
    throw Error("colour scale: expected low < high, found " + number_text(static_cast<double>(scale.low)) + " and " +
                    number_text(static_cast<double>(scale.high)),
                ErrorCode::option);
  }
  std::vector<std::uint8_t> mixed(rgb.begin(), rgb.end());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (std::isnan(scores[i]))
      throw Error("score map: expected numbers, found NaN at pixel " + std::to_string(i), ErrorCode::bad_data);
    const float t = std::clamp((scores[i] - scale.low) / (scale.high - scale.low), 0.0F, 1.0F);
    const float alpha = heat_opacity(t);
    const Rgb colour = heat_colour(t);
    for (std::size_t c = 0; c < 3; ++c) {
      const float value = (1.0F - alpha) * static_cast<float>(rgb[3 * i + c]) + alpha * static_cast<float>(colour[c]);
      mixed[3 * i + c] = static_cast<std::uint8_t>(std::lround(value));
    }
  }
  return mixed;
}

/// Draws the ground truth: rgb (H, W, 3) with a line around the regions of mask (H, W), whose nonzero values are
/// defects. The line lies outside the region, so that it hides no defect, and is cyan, a colour that the heat map does
/// not have.
[[nodiscard]] inline std::vector<std::uint8_t> outline(std::span<const std::uint8_t> rgb,
                                                       std::span<const std::uint8_t> mask, std::size_t height,
                                                       std::size_t width) {
  detail::require_pixels("image", rgb.size(), height, width, 3);
  detail::require_pixels("mask", mask.size(), height, width, 1);
  constexpr Rgb line{0, 229, 255};
  const std::size_t thickness = 1 + (std::max)(height, width) / 256;
  std::vector<std::uint8_t> drawn(rgb.begin(), rgb.end());
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      if (mask[y * width + x] == 0) continue;
      for (std::size_t v = y - (std::min)(y, thickness); v < (std::min)(height, y + thickness + 1); ++v) {
        for (std::size_t u = x - (std::min)(x, thickness); u < (std::min)(width, x + thickness + 1); ++u) {
          const std::size_t pixel = v * width + u;
          if (mask[pixel] == 0)
            std::copy(line.begin(), line.end(), drawn.begin() + static_cast<std::ptrdiff_t>(3 * pixel));
        }
      }
    }
  }
  return drawn;
}

}  // namespace ADTR_ABI
}  // namespace adtr

/// Draws the histogram of image scores as inline SVG: good parts above the axis, defective ones below it, and the
/// threshold as a line across.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adtr/core/abi.hpp"
#include "adtr/core/number_text.hpp"
#include "adtr/report/markup.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// Returns about five ticks in [low, high]: multiples of 1, 2 or 5 times a power of ten.
inline std::vector<double> axis_ticks(double low, double high) {
  const double rough = (high - low) / 5.0;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double factor = rough / power;
  const double step = power * (factor < 1.5 ? 1.0 : factor < 3.5 ? 2.0 : factor < 7.5 ? 5.0 : 10.0);
  std::vector<double> ticks;
  const double first = std::ceil(low / step);
  // Multiply instead of adding up, which would print -3·10⁻¹⁷ for 0.
  for (double i = first; i * step <= high; i += 1.0) ticks.push_back(i * step);
  return ticks;
}

}  // namespace detail

/// Returns a `<figure>` with one SVG. A bar shows a share of the images of its class, so that a hundred good parts and
/// ten defective ones can be compared. The labels are HTML text, because text inside the SVG would shrink with it on a
/// phone. Scores that are not finite are left out. Returns an empty text if no score is left.
[[nodiscard]] inline std::string histogram_figure(std::span<const double> good, std::span<const double> defective,
                                                  std::optional<double> threshold) {
  constexpr std::size_t bins = 40;
  std::vector<double> all(good.begin(), good.end());
  all.insert(all.end(), defective.begin(), defective.end());
  if (threshold) all.push_back(*threshold);
  std::erase_if(all, [](double score) { return !std::isfinite(score); });
  if (all.empty()) return "";
  double low = *std::min_element(all.begin(), all.end());
  double high = *std::max_element(all.begin(), all.end());
  const double margin = high > low ? 0.02 * (high - low) : (std::max)(0.5, 0.01 * std::abs(low));
  low -= margin;
  high += margin;
  const auto percent = [&](double score) { return 100.0 * (score - low) / (high - low); };

  const auto count = [&](std::span<const double> scores) {
    std::array<std::size_t, bins> counts{};
    for (const double score : scores) {
      if (!std::isfinite(score)) continue;
      ++counts[(std::min)(bins - 1, static_cast<std::size_t>(percent(score) / 100.0 * bins))];
    }
    return counts;
  };
  const auto share = [](std::size_t n, std::size_t total) {
    return static_cast<double>(n) / static_cast<double>(std::max<std::size_t>(total, 1));
  };
  const auto highest = [](const std::array<std::size_t, bins>& counts) {
    return *std::max_element(counts.begin(), counts.end());
  };
  const std::array<std::size_t, bins> good_counts = count(good);
  const std::array<std::size_t, bins> defective_counts = count(defective);
  const double tallest =
      (std::max)({share(highest(good_counts), good.size()), share(highest(defective_counts), defective.size()), 1e-9});

  std::string html =
      "<figure class=\"histogram\"><div class=\"plot\"><svg viewBox=\"0 0 100 100\" "
      "preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Histogram of image scores\">";
  const auto bars = [&](const std::array<std::size_t, bins>& counts, std::size_t total, bool up, const char* name) {
    for (std::size_t i = 0; i < bins; ++i) {
      if (counts[i] == 0) continue;
      const double bar = 48.0 * share(counts[i], total) / tallest;
      const double from = low + (high - low) * static_cast<double>(i) / bins;
      const double to = low + (high - low) * static_cast<double>(i + 1) / bins;
      html += std::string("<rect class=\"") + name + "\" x=\"" +
              short_number(100.0 * static_cast<double>(i) / bins + 0.2) + "\" y=\"" +
              short_number(up ? 50.0 - bar : 50.0) + "\" width=\"" + short_number(100.0 / bins - 0.4) + "\" height=\"" +
              short_number(bar) + "\"><title>" + std::to_string(counts[i]) + " of " + std::to_string(total) + " " +
              name + ", score " + short_number(from) + " to " + short_number(to) + "</title></rect>";
    }
  };
  bars(good_counts, good.size(), true, "good");
  bars(defective_counts, defective.size(), false, "defective");
  html += "<line class=\"axis\" x1=\"0\" y1=\"50\" x2=\"100\" y2=\"50\"/>";
  if (threshold && std::isfinite(*threshold)) {
    const std::string x = short_number(percent(*threshold));
    html += "<line class=\"threshold\" x1=\"" + x + "\" y1=\"0\" x2=\"" + x + "\" y2=\"100\"/>";
  }
  html += "</svg></div><div class=\"ticks\">";
  for (const double tick : detail::axis_ticks(low, high)) {
    html += "<span style=\"left:" + short_number(percent(tick)) + "%\">" + short_number(tick) + "</span>";
  }
  html += "</div><figcaption><span class=\"key good\">good (" + std::to_string(good.size()) +
          "), upwards</span><span class=\"key defective\">defective (" + std::to_string(defective.size()) +
          "), downwards</span>";
  if (threshold) html += "<span class=\"key threshold\">threshold " + number_text(*threshold) + "</span>";
  return html + "<span>image score: higher is more anomalous</span></figcaption></figure>";
}

}  // namespace ADTR_ABI
}  // namespace adtr

/// The metrics of an evaluation, one row each. evaluate() computes every row; a program that walks over
/// Evaluation::figures shows every row. So a metric is a function and a row, here or in a user's own list.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "adtr/core/error.hpp"
#include "adtr/metrics/pixel_figures.hpp"
#include "adtr/metrics/precision_recall.hpp"
#include "adtr/metrics/ranking.hpp"
#include "adtr/metrics/roc.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// A metric of image scores and the labels of the folders. NaN where it does not exist. Called only if the test set has
/// good and defective images.
struct ImageMetric {
  std::string key;    ///< in JSON files, and for Evaluation::value()
  std::string title;  ///< in tables
  std::function<double(const Ranking<double>&)> value;
};

/// A metric of the pixels of all score maps and masks, with a bound on its error. NaN where it does not exist. Called
/// only if the test set has masks with defects.
struct PixelMetric {
  std::string key, title;
  std::function<Bounded(PixelHistogram&)> value;
};

/// What evaluate() computes, in the order in which it is shown.
struct MetricList {
  std::vector<ImageMetric> image;
  std::vector<PixelMetric> pixel;
};

/// The metrics that adtr evaluate shows.
[[nodiscard]] inline MetricList default_metrics() {
  using Images = Ranking<double>;
  using Pixels = PixelHistogram;
  return {{{"image_auroc", "image AUROC", [](const Images& images) { return auroc(images); }},
           {"image_ap", "image AP", [](const Images& images) { return average_precision(images); }},
           {"image_f1_max", "image F1-max", [](const Images& images) { return f1_max(images).value; }}},
          {{"pixel_auroc", "pixel AUROC", [](Pixels& pixels) { return auroc(pixels); }},
           {"pixel_ap", "pixel AP", [](Pixels& pixels) { return average_precision(pixels); }},
           {"pixel_f1_max", "pixel F1-max",
            [](Pixels& pixels) {
              const BoundedF1 f1 = f1_max(pixels);
              return Bounded{f1.value, f1.bound};
            }},
           {"aupro", "AUPRO", [](Pixels& pixels) { return aupro(pixels); }}}};
}

/// Throws Error (option) if a row has no key or no function, or the key of another row.
inline void check(const MetricList& metrics) {
  std::set<std::string> keys;
  const auto check_row = [&](const auto& metric) {
    if (metric.key.empty()) throw Error("MetricList: expected a key in each row, found none", ErrorCode::option);
    if (!metric.value)
      throw Error("MetricList: expected a function in the row " + metric.key + ", found none", ErrorCode::option);
    if (!keys.insert(metric.key).second)
      throw Error("MetricList: expected one row " + metric.key + ", found two", ErrorCode::option);
  };
  for (const ImageMetric& metric : metrics.image) check_row(metric);
  for (const PixelMetric& metric : metrics.pixel) check_row(metric);
}

}  // namespace ADTR_ABI
}  // namespace adtr

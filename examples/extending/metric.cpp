// A metric of your own: the false-alarm rate at 95 % recall (FPR95), beside the library's metrics.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "adtr/metrics/metric_list.hpp"

namespace {

/// The share of good images that are called anomalous at the highest threshold which finds 95 % of the defective ones.
/// NaN if a class is missing.
double false_alarms_at_95_recall(const adtr::Ranking<double>& ranking) {
  if (!ranking.has_both_classes()) return std::nan("");
  const auto positives = static_cast<double>(ranking.positives().size()),
             negatives = static_cast<double>(ranking.negatives().size());
  double result = 1.0;
  bool reached = false;
  ranking.for_each_step([&](double, std::size_t true_positives, std::size_t false_positives) {
    if (reached || static_cast<double>(true_positives) < 0.95 * positives) return;
    result = static_cast<double>(false_positives) / negatives;
    reached = true;
  });
  return result;
}

}  // namespace

int main() {
  // adtr::evaluate(detector, set, on_image, metrics) computes every row of the list, and Evaluation::figures shows
  // them.
  adtr::MetricList metrics = adtr::default_metrics();
  metrics.image.push_back({"fpr95", "false alarms at 95 % recall", false_alarms_at_95_recall});
  adtr::check(metrics);

  // The same functions on scores from elsewhere: 20 defective images score 1 … 20, four good ones 0.5, 1.5, 2.5
  // and 3.5. 19 of 20 are found from the score 2 on, where two of the four good ones are false alarms.
  std::vector<double> scores{0.5, 1.5, 2.5, 3.5};
  std::vector<std::uint8_t> labels(scores.size(), 0);
  for (int i = 1; i <= 20; ++i) {
    scores.push_back(i);
    labels.push_back(1);
  }
  const adtr::Ranking ranking(scores, labels);
  for (const adtr::ImageMetric& metric : metrics.image)
    std::printf("%s: %.4f\n", metric.title.c_str(), metric.value(ranking));
  return metrics.image.back().value(ranking) == 0.5 ? 0 : 1;
}

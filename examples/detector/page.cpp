#include "page.hpp"

#include <algorithm>
#include <filesystem>

#include "adtr/core/number_text.hpp"
#include "adtr/data/image_file.hpp"
#include "adtr/data/resize.hpp"
#include "adtr/report/html.hpp"
#include "output.hpp"

namespace program {

namespace {

constexpr std::size_t cases_shown = 4;  // of each kind

std::string name_of(const adtr::Sample& sample) { return sample.kind + "/" + sample.path.filename().string(); }

adtr::Picture picture(const adtr::Image& image) {
  return {static_cast<std::size_t>(image.height), static_cast<std::size_t>(image.width), image.data};
}

class CaseMaker {
 public:
  CaseMaker(AnyDetector& detector, adtr::HeatScale scale) : detector_(detector), scale_(scale) {}

  adtr::ReportCase operator()(const Scored& scored) {
    const adtr::Image image = adtr::read_image(*scored.sample);
    detector_.detect(image, detection_);
    const adtr::Image& resized = detector_.resized();
    adtr::ReportCase shown{name_of(*scored.sample),
                           scored.score,
                           scored.defective,
                           picture(resized),
                           picture(heat_map(detection_.map, resized, scale_)),
                           std::nullopt};
    if (scored.sample->mask) {
      const adtr::Mask full = adtr::read_sample_mask(*scored.sample, image.height, image.width);
      const adtr::Mask mask = adtr::resize_nearest(full, resized.height, resized.width);
      shown.ground_truth = picture(resized);
      shown.ground_truth->rgb = adtr::outline(resized.data, mask.data, shown.input.height, shown.input.width);
    }
    return shown;
  }

 private:
  AnyDetector& detector_;
  adtr::HeatScale scale_;
  adtr::Detection detection_;
};

std::string image_score_of(adtr::Scoring scoring) {
  switch (scoring) {
    case adtr::Scoring::norm:
      return "maximum of the norms";
    case adtr::Scoring::taps:
      return "maximum of the deep taps' z-scores";
    case adtr::Scoring::residual:
      return "maximum of the z-scores of the deep taps' norms and angles";
    case adtr::Scoring::bank:
      return "maximum of the distances to the memory bank";
    case adtr::Scoring::fused:
      return "maximum of the distances to the memory bank, weighted by the reconstruction error";
  }
  return std::string(name_of(scoring));
}

std::vector<adtr::ReportSetting> settings(const EvaluateOptions& options, const AnyDetector& detector,
                                          const adtr::Evaluation& evaluation, bool masks) {
  const adtr::ModelDescription& d = detector.description();
  std::vector<adtr::ReportSetting> list{{"model", options.model},
                                        {"test images", options.data},
                                        {"backbone", std::string(adtr::name_of(d.architecture))},
                                        {"image size", text("%td × %td", d.image_size, d.image_size)},
                                        {"grid", text("%td × %td", d.grid, d.grid)},
                                        {"image score", image_score_of(d.scoring)},
                                        {"time per image", text("%.1f ms", 1000 * evaluation.seconds_per_image)},
                                        {"backend", options.backend}};
  if (masks) {
    list.push_back(
        {"resolution of the pixel figures", text("%td × %td", evaluation.resolution, evaluation.resolution)});
    list.push_back({"error bound of the pixel figures", adtr::number_text(evaluation.pixel_bound)});
  }
  for (const auto& [key, value] : d.notes) {
    std::string name = "training: " + key;
    std::replace(name.begin(), name.end(), '_', ' ');
    list.push_back({name, value});
  }
  return list;
}

}  // namespace

void write_page(const EvaluateOptions& options, AnyDetector& detector, const adtr::Evaluation& evaluation,
                const std::vector<Scored>& images, const std::vector<std::string>& remarks, adtr::HeatScale scale) {
  const adtr::ModelDescription& d = detector.description();
  adtr::Report report;
  // "data/cookie/" has no last part.
  const std::filesystem::path data = std::filesystem::weakly_canonical(options.data);
  report.title = "Anomaly detection: " + data.filename().string();
  report.subtitle =
      text("%td good and %td defective images, model ", evaluation.images_good, evaluation.images_defective) +
      std::filesystem::path(options.model).filename().string();
  // Of a set without any mask nobody expects pixel figures.
  const bool masks =
      std::any_of(images.begin(), images.end(), [](const Scored& s) { return s.sample->mask.has_value(); });
  std::size_t first_of_pixels = 0;
  for (const adtr::Figure& figure : evaluation.figures) {
    if (figure.of_pixels && !masks) continue;
    if (figure.of_pixels && first_of_pixels == 0) first_of_pixels = report.metrics.size();
    std::string reason;
    for (const std::string& r : evaluation.reasons)
      if (r.starts_with(figure.of_pixels ? "pixel" : "image")) reason = r;
    report.metrics.push_back({figure.title, figure.value, reason});
  }
  // The first two are shown large: one of the images, one of the pixels.
  if (first_of_pixels > 1 && report.metrics[first_of_pixels].value)
    std::swap(report.metrics[1], report.metrics[first_of_pixels]);
  report.settings = settings(options, detector, evaluation, masks);
  report.threshold = d.threshold;
  report.scale = scale;
  report.remarks = remarks;
  for (const adtr::UnreadableFile& file : evaluation.unreadable) report.unreadable.push_back(file.sentence);
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
  for (const Scored& scored : images) {
    (scored.defective ? report.defective_scores : report.good_scores).push_back(scored.score);
    scores.push_back(scored.score);
    labels.push_back(scored.defective ? 1 : 0);
  }
  const adtr::PickedCases picked = adtr::pick_cases(scores, labels, cases_shown);
  CaseMaker make(detector, scale);
  for (const std::size_t i : picked.highest_good) report.highest_good.push_back(make(images[i]));
  for (const std::size_t i : picked.lowest_defective) report.lowest_defective.push_back(make(images[i]));
  for (const std::size_t i : picked.highest_defective) report.highest_defective.push_back(make(images[i]));
  adtr::write_report(options.report, report);
}

}  // namespace program

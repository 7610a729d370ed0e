/// adtr::runtime: evaluation.
#include "adtr/evaluate.hpp"

#include "compiled.hpp"

namespace adtr::runtime {

namespace {

Evaluation figures_of(const adtr::Evaluation& e) {
  Evaluation result;
  for (const adtr::Figure& figure : e.figures)
    result.figures.push_back({figure.key, figure.title, figure.of_pixels, figure.value});
  result.pixel_bound = e.pixel_bound;
  result.images_good = e.images_good;
  result.images_defective = e.images_defective;
  result.seconds_per_image = e.seconds_per_image;
  for (const adtr::UnreadableFile& file : e.unreadable)
    result.unreadable.push_back({file.path.string(), file.sentence});
  result.reasons = e.reasons;
  return result;
}

}  // namespace

inline namespace ADTR_RUNTIME_ABI {

Evaluation evaluate_folder(CompiledDetector* detector, const std::string& folder, bool allow,
                           void (*on_image)(void* callee, const EvaluatedImage& image), void* callee,
                           Failure& failure) noexcept {
  return guarded(failure, [&] {
    auto& used = detector_of(detector);
    static_cast<void>(used.description());  // an empty detector is reported before the folder
    SampleSet set = scan_test(folder, {.allow = allow});
    std::vector<EvaluatedImage> images;
    const auto keep = [&](const adtr::EvaluatedImage& image) {
      images.push_back({image.sample.path.string(), image.sample.kind, image.defective, image.detection.score,
                        image.detection.verdict});
      on_image(callee, images.back());
    };
    Evaluation result = figures_of(adtr::evaluate(used, set, keep));
    result.images = std::move(images);
    if (!set.left_out.empty()) result.remarks.push_back(describe(set.left_out));
    for (const std::string& contradiction : set.allowed) result.remarks.push_back("allowed: " + contradiction);
    return result;
  });
}

}  // namespace ADTR_RUNTIME_ABI

}  // namespace adtr::runtime

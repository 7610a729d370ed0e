/// Measures a detector on a test set with the compiled library adtr::runtime.
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "adtr/runtime/detector.hpp"
#include "adtr/runtime/failure.hpp"

namespace adtr::runtime {

inline namespace ADTR_RUNTIME_ABI {

/// One image of a test set with its score.
struct EvaluatedImage {
  std::string path;
  std::string kind;        ///< name of its folder: "good" or the kind of defect
  bool defective = false;  ///< according to its folder
  double score = 0.0;
  Verdict verdict = Verdict::undecided;
};

/// A file that could not be read, and why.
struct UnreadableFile {
  std::string path;
  std::string sentence;  ///< names the path
};

/// The result of one metric of adtr::default_metrics().
struct Figure {
  std::string key, title;
  bool of_pixels = false;       ///< otherwise of image scores
  std::optional<double> value;  ///< absent if it cannot be computed
};

/// The figures of a test set; see adtr::Evaluation. `reasons` says why figures are absent.
struct Evaluation {
  std::vector<Figure> figures;
  double pixel_bound = 0.0;  ///< largest error of the pixel figures
  Index images_good = 0, images_defective = 0;
  double seconds_per_image = 0.0;      ///< detection only, without reading files
  std::vector<EvaluatedImage> images;  ///< those that were judged, in the order of the scan
  std::vector<UnreadableFile> unreadable;
  std::vector<std::string> reasons;
  std::vector<std::string> remarks;  ///< what the scan left out, and which contradictions were allowed

  /// The figure with this key, such as "image_auroc" or "aupro". Throws Error (option) if there is no such figure.
  [[nodiscard]] std::optional<double> value(const std::string& key) const {
    for (const Figure& figure : figures)
      if (figure.key == key) return figure.value;
    throw Error("Evaluation::value: expected the key of a figure, found " + key, ErrorCode::option);
  }
};

/// For evaluate(). Calls `on_image(callee, image)` after each image.
ADTR_RUNTIME_API Evaluation evaluate_folder(CompiledDetector* detector, const std::string& folder, bool allow,
                                            void (*on_image)(void* callee, const EvaluatedImage& image), void* callee,
                                            Failure& failure) noexcept;

}  // namespace ADTR_RUNTIME_ABI

inline namespace ADTR_ABI {

/// Scores every image of `folder`, which has MVTec's layout (see adtr::scan_test()), and computes the figures of
/// method.md section 6; the compiled form of adtr::evaluate(). `allow`: allow contradicting labels, and a folder most
/// of whose images are left out, instead of throwing. `on_image` is called with each EvaluatedImage; if it throws, the
/// evaluation ends with its exception. Throws Error naming the file or folder.
template <class OnImage>
[[nodiscard]] Evaluation evaluate(Detector& detector, const std::string& folder, bool allow, OnImage&& on_image) {
  using Callee = std::remove_reference_t<OnImage>;
  const auto call = [](void* callee, const EvaluatedImage& image) { (*static_cast<Callee*>(callee))(image); };
  void* const callee = const_cast<void*>(static_cast<const void*>(&on_image));
  return detail::checked(&evaluate_folder, detector.compiled(), folder, allow, +call, callee);
}
[[nodiscard]] inline Evaluation evaluate(Detector& detector, const std::string& folder, bool allow = false) {
  return evaluate(detector, folder, allow, [](const EvaluatedImage&) {});
}

}  // namespace ADTR_ABI

}  // namespace adtr::runtime

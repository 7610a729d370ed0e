/// Detects anomalies with the compiled library adtr::runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "adtr/data/image.hpp"
#include "adtr/metrics/verdict.hpp"
#include "adtr/runtime/failure.hpp"

namespace adtr::runtime {

inline namespace ADTR_RUNTIME_ABI {

/// A detector's result for one image.
struct Detection {
  double score = std::numeric_limits<double>::quiet_NaN();  ///< larger is more anomalous; no fixed range
  std::optional<double> threshold;                          ///< the model's, or the one given to set_threshold()
  Verdict verdict = Verdict::undecided;  ///< undecided without a threshold: neither good nor anomalous
  Index side = 0;                        ///< height and width of the map: the model's image size
  std::vector<float> map;                ///< raw scores of the resized image's pixels, (side, side), row-major
};

/// What a model says about itself; see adtr::ModelDescription.
struct ModelSummary {
  std::string architecture;  ///< such as "efficientnet_b4"
  Index image_size = 0;
  Index grid = 0;
  std::optional<double> threshold;  ///< an image with this score or a higher one is anomalous
  double colour_low = 0.0;          ///< the range of score map values that heat maps colour
  double colour_high = 1.0;
  std::vector<std::pair<std::string, std::string>> notes;  ///< how the model was trained, sorted by name
};

/// The detector inside the library.
class CompiledDetector;

// Functions of the library. Without a detector (null) they fail as an empty Detector does. After a failure the result
// of a function is meaningless.
ADTR_RUNTIME_API CompiledDetector* load_detector(const std::string& path, int threads, Failure& failure) noexcept;
ADTR_RUNTIME_API CompiledDetector* load_detector_from(const std::byte* model, std::size_t bytes,
                                                      const std::string& name, int threads, Failure& failure) noexcept;
ADTR_RUNTIME_API CompiledDetector* share_detector(const CompiledDetector* detector, Failure& failure) noexcept;
ADTR_RUNTIME_API void release_detector(CompiledDetector* detector) noexcept;
ADTR_RUNTIME_API ModelSummary summary_of(const CompiledDetector* detector, Failure& failure) noexcept;
ADTR_RUNTIME_API bool set_threshold(CompiledDetector* detector, std::optional<double> threshold,
                                    Failure& failure) noexcept;
/// `bgr`: the order of the channels. Everything else: see ImageView.
ADTR_RUNTIME_API bool detect_pixels(CompiledDetector* detector, const std::uint8_t* pixels, std::ptrdiff_t height,
                                    std::ptrdiff_t width, std::ptrdiff_t channels, std::ptrdiff_t row_stride, bool bgr,
                                    Detection& detection, Failure& failure) noexcept;
ADTR_RUNTIME_API bool detect_file(CompiledDetector* detector, const std::string& path, Detection& detection,
                                  Failure& failure) noexcept;

}  // namespace ADTR_RUNTIME_ABI

inline namespace ADTR_ABI {

/// Detects anomalies on the Cpu backend; the compiled form of adtr::Detector.
///
/// One thread at a time may use a detector; a second one gets Error (busy). Give each thread its own with share(). A
/// detector that was made without a model, or that was moved from, is empty: it can be assigned to, and any other use
/// throws Error (option).
class Detector {
 public:
  /// Makes an empty detector.
  Detector() = default;

  /// Throws Error naming the file: not_a_model if it is not a model, no_such_network if it needs a network that the
  /// library does not have, bad_weights if it is damaged. `threads` = 0: use all processors of the machine.
  [[nodiscard]] static Detector load(const std::string& path, int threads = 0) {
    return Detector(detail::checked(&load_detector, path, threads));
  }

  /// Loads a model file that lies in memory. Nothing refers to its bytes after the call. `name` stands for the path in
  /// errors. Throws as load().
  [[nodiscard]] static Detector load_from_memory(std::span<const std::byte> model, int threads = 0,
                                                 const std::string& name = "model in memory") {
    return Detector(detail::checked(&load_detector_from, model.data(), model.size(), name, threads));
  }

  Detector(Detector&& other) noexcept : compiled_(std::exchange(other.compiled_, nullptr)) {}
  Detector& operator=(Detector&& other) noexcept {
    std::swap(compiled_, other.compiled_);
    return *this;
  }
  Detector(const Detector&) = delete;
  Detector& operator=(const Detector&) = delete;
  ~Detector() { release_detector(compiled_); }

  /// Whether the detector has a model.
  [[nodiscard]] bool loaded() const noexcept { return compiled_ != nullptr; }

  /// Returns another detector with the same model and threshold, for another thread. The weights and the threads are
  /// shared, not copied. Any number of threads may call this at the same time.
  [[nodiscard]] Detector share() const { return Detector(detail::checked(&share_detector, compiled_)); }

  [[nodiscard]] ModelSummary summary() const { return detail::checked(&summary_of, compiled_); }

  /// Replaces the model's threshold, or removes it if `threshold` is empty. Throws Error: option on NaN, busy while
  /// another thread detects.
  void set_threshold(std::optional<double> threshold) {
    detail::checked(&runtime::set_threshold, compiled_, threshold);
  }

  /// Scores an image in memory. Throws Error: busy while another thread detects, bad_weights if the model's scores are
  /// not finite. The detector remains usable afterwards.
  [[nodiscard]] Detection detect(const ImageView& image) {
    Detection detection;
    detect(image, detection);
    return detection;
  }

  /// The same into a reused Detection: allocates nothing while images keep their size. If it throws, `detection` is
  /// undecided, has no threshold and the score NaN, and its map is meaningless.
  void detect(const ImageView& image, Detection& detection) {
    detail::checked(&detect_pixels, compiled_, image.data, image.height, image.width, image.channels, image.row_stride,
                    image.order == ChannelOrder::bgr, detection);
  }

  /// Reads a PNG, JPEG or BMP file and scores it. Throws as detect(), and Error naming the file if it cannot be read.
  [[nodiscard]] Detection detect_file(const std::string& path) {
    Detection detection;
    detail::checked(&runtime::detect_file, compiled_, path, detection);
    return detection;
  }

  /// For adtr::runtime's own functions.
  [[nodiscard]] CompiledDetector* compiled() const noexcept { return compiled_; }

 private:
  explicit Detector(CompiledDetector* compiled) noexcept : compiled_(compiled) {}

  CompiledDetector* compiled_ = nullptr;
};

}  // namespace ADTR_ABI

}  // namespace adtr::runtime

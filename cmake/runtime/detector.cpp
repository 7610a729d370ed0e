/// adtr::runtime: detection.
#include "compiled.hpp"

namespace adtr::runtime {

ModelSummary summarised(const ModelDescription& d) {
  ModelSummary summary;
  summary.architecture = std::string(name_of(d.architecture));
  summary.image_size = d.image_size;
  summary.grid = d.grid;
  summary.threshold = d.threshold;
  summary.colour_low = d.colour_low;
  summary.colour_high = d.colour_high;
  summary.notes.assign(d.notes.begin(), d.notes.end());
  return summary;
}

namespace {

void detect(CompiledDetector* compiled, const ImageView& image, Detection& detection) {
  detection.score = std::numeric_limits<double>::quiet_NaN();
  detection.threshold.reset();
  detection.verdict = Verdict::undecided;
  auto& detector = detector_of(compiled);
  if (compiled == nullptr) return static_cast<void>(detector.detect(image));  // throws
  const OneThread held(compiled->busy, "the detector");
  detector.detect(image, compiled->detection);
  const adtr::Detection& found = compiled->detection;
  detection.score = found.score;
  detection.threshold = found.threshold;
  detection.verdict = found.verdict;
  detection.side = static_cast<Index>(found.map.shape(0));
  detection.map.assign(found.map.data(), found.map.data() + found.map.size());
}

}  // namespace

inline namespace ADTR_RUNTIME_ABI {

CompiledDetector* load_detector(const std::string& path, int threads, Failure& failure) noexcept {
  return guarded(failure,
                 [&] { return new CompiledDetector{adtr::Detector<Cpu, CompiledNetworks>::load(path, threads)}; });
}

CompiledDetector* load_detector_from(const std::byte* model, std::size_t bytes, const std::string& name, int threads,
                                     Failure& failure) noexcept {
  return guarded(failure, [&] {
    const Cpu::Context context(threads);
    return new CompiledDetector{adtr::Detector<Cpu, CompiledNetworks>::load_from_memory({model, bytes}, name, context)};
  });
}

CompiledDetector* share_detector(const CompiledDetector* detector, Failure& failure) noexcept {
  return guarded(failure, [&] { return new CompiledDetector{detector_of(detector).share()}; });
}

void release_detector(CompiledDetector* detector) noexcept { delete detector; }

ModelSummary summary_of(const CompiledDetector* detector, Failure& failure) noexcept {
  return guarded(failure, [&] { return summarised(detector_of(detector).description()); });
}

bool set_threshold(CompiledDetector* detector, std::optional<double> threshold, Failure& failure) noexcept {
  return guarded(failure, [&] {
    detector_of(detector).set_threshold(threshold);
    return true;
  });
}

bool detect_pixels(CompiledDetector* detector, const std::uint8_t* pixels, std::ptrdiff_t height, std::ptrdiff_t width,
                   std::ptrdiff_t channels, std::ptrdiff_t row_stride, bool bgr, Detection& detection,
                   Failure& failure) noexcept {
  return guarded(failure, [&] {
    const ChannelOrder order = bgr ? ChannelOrder::bgr : ChannelOrder::rgb;
    detect(detector, ImageView(pixels, height, width, channels, row_stride, order), detection);
    return true;
  });
}

bool detect_file(CompiledDetector* detector, const std::string& path, Detection& detection, Failure& failure) noexcept {
  return guarded(failure, [&] {
    static_cast<void>(detector_of(detector).description());  // an empty detector is reported before the file
    const Image image = read_image(path);
    detect(detector, ImageView(image), detection);
    return true;
  });
}

}  // namespace ADTR_RUNTIME_ABI

}  // namespace adtr::runtime

/// Detecting and training with the backend and the network out of the type, so that each backend is compiled once, in a
/// file of its own, and the commands are not templates.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adtr/detector.hpp"
#include "options.hpp"

namespace program {

/// An adtr::Detector of some backend; see there.
class AnyDetector {
 public:
  virtual ~AnyDetector() = default;
  [[nodiscard]] virtual const adtr::ModelDescription& description() const = 0;
  virtual void set_threshold(std::optional<double> threshold) = 0;
  [[nodiscard]] virtual std::vector<adtr::Scoring> scorings() const = 0;
  virtual void set_scoring(adtr::Scoring scoring) = 0;
  virtual void detect(const adtr::ImageView& image, adtr::Detection& detection) = 0;
  [[nodiscard]] virtual const adtr::Image& resized() const = 0;
};

struct BackendFunctions {
  std::string_view name;
  std::unique_ptr<AnyDetector> (*load)(const std::string& model, const CommonOptions& options);
  adtr::TrainingResult (*train)(const adtr::TrainingRequest& request, const CommonOptions& options,
                                const adtr::TrainingProgress& progress);
};

extern const BackendFunctions cpu_functions, eigen_functions, reference_functions, cuda_functions;

/// What --backend takes.
inline constexpr std::array backends{&cpu_functions,
#ifndef ADTR_SMALL_PROGRAM
                                     &eigen_functions, &reference_functions,
#endif
#ifdef ADTR_PROGRAM_CUDA
                                     &cuda_functions
#endif
};

/// One of those, by its name.
[[nodiscard]] inline const BackendFunctions& backend_functions(std::string_view name) {
  for (const BackendFunctions* backend : backends)
    if (backend->name == name) return *backend;
  std::string names;
  for (const BackendFunctions* backend : backends)
    names.append(names.empty() ? "" : backend == backends.back() ? " or " : ", ").append(backend->name);
  throw adtr::Error("expected " + names + ", found " + std::string(name) +
                    (name == "cuda" ? " (this program was built without it; build it with -DADTR_CUDA=ON)" : ""));
}

}  // namespace program

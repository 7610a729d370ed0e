/// The functions of one backend, with the networks `Nets`: what backend_*.cpp compile.
#pragma once

#include <utility>

#include "adtr/train/train_model.hpp"
#include "backends.hpp"
#include "say.hpp"

namespace program {

/// Where the backend computes.
template <adtr::Backend B>
struct ContextOf {
  [[nodiscard]] static typename B::Context make(const CommonOptions& options) {
    typename B::Context context(options.threads);
    if constexpr (requires { context.threads(); }) {
      const std::string note = adtr::threads_note(options.threads, context.threads());
      if (!note.empty()) say(note);
    }
    return context;
  }
};

template <adtr::Backend B, class Nets>
class DetectorOn final : public AnyDetector {
 public:
  DetectorOn(const std::string& model, const typename B::Context& context)
      : detector_(adtr::Detector<B, Nets>::load(model, context)) {}
  [[nodiscard]] const adtr::ModelDescription& description() const override { return detector_.description(); }
  void set_threshold(std::optional<double> threshold) override { detector_.set_threshold(threshold); }
  [[nodiscard]] std::vector<adtr::Scoring> scorings() const override { return detector_.scorings(); }
  void set_scoring(adtr::Scoring scoring) override { detector_.set_scoring(scoring); }
  void detect(const adtr::ImageView& image, adtr::Detection& detection) override { detector_.detect(image, detection); }
  [[nodiscard]] const adtr::Image& resized() const override { return detector_.resized(); }

 private:
  adtr::Detector<B, Nets> detector_;
};

template <adtr::Backend B, class Nets>
[[nodiscard]] constexpr BackendFunctions functions_of() {
  return {
      B::name,
      [](const std::string& model, const CommonOptions& options) -> std::unique_ptr<AnyDetector> {
        return std::make_unique<DetectorOn<B, Nets>>(model, ContextOf<B>::make(options));
      },
      [](const adtr::TrainingRequest& request, const CommonOptions& options, const adtr::TrainingProgress& progress) {
        return adtr::train_model<B, Nets>(request, ContextOf<B>::make(options), progress);
      }};
}

}  // namespace program

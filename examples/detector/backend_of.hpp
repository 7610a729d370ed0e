/// The functions of one backend, with the networks `Nets`: what backend_*.cpp compile.
#pragma once

#include <utility>

#include "adtr/train/train_model.hpp"
#include "backends.hpp"

namespace program {

template <adtr::Backend B, class Nets>
class DetectorOn final : public AnyDetector {
 public:
  DetectorOn(const std::string& model, int threads) : detector_(adtr::Detector<B, Nets>::load(model, threads)) {}
  [[nodiscard]] const adtr::ModelDescription& description() const override { return detector_.description(); }
  void set_threshold(std::optional<double> threshold) override { detector_.set_threshold(threshold); }
  void detect(const adtr::ImageView& image, adtr::Detection& detection) override { detector_.detect(image, detection); }
  [[nodiscard]] const adtr::Image& resized() const override { return detector_.resized(); }

 private:
  adtr::Detector<B, Nets> detector_;
};

template <adtr::Backend B, class Nets>
[[nodiscard]] constexpr BackendFunctions functions_of() {
  return {B::name,
          [](const std::string& model, int threads) -> std::unique_ptr<AnyDetector> {
            return std::make_unique<DetectorOn<B, Nets>>(model, threads);
          },
          adtr::train_model<B, Nets>};
}

}  // namespace program

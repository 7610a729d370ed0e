/// A model of Lite0 at 32/8 and a small transformer with random weights, written to a file in the temporary folder.
#pragma once

#include <unistd.h>

#include <filesystem>

#include "adtr/core/random.hpp"
#include "adtr/detector.hpp"
#include "support/catch.hpp"

namespace small_model {

using Network = adtr::Network<adtr::Architecture::efficientnet_lite0, 32, 8,
                              adtr::TransformerSpec{.channels = 64, .heads = 2, .hidden = 128, .layers = 2}>;
using Networks = adtr::Networks<Network>;
using Net = Network::type;

inline adtr::ModelDescription description() {
  adtr::ModelDescription d;
  d.architecture = Network::architecture;
  d.image_size = 32;
  d.grid = 8;
  d.numerics = adtr::parse_architecture("efficientnet_lite0").numerics;
  d.scoring = adtr::Scoring::taps;
  d.threshold = 0.1234567890123456789;
  d.colour_low = 1.0 / 3.0;
  d.colour_high = 2.0;
  d.notes = {{"recipe", "fast"}};
  return d;
}

/// Random weights, small enough for activations to stay finite; score_std and feature_std are positive.
/// (A template, like all functions that name a backbone's type, because nvcc cannot pass that type to g++ otherwise.)
template <class N>
struct ParametersOf {
  using Net = typename N::type;
  adtr::Buffer<float> frozen{adtr::parameter_count<typename Net::Backbone::Layers>};
  adtr::Buffer<float> trained{adtr::parameter_count<adtr::TrainedTensors<Net>>};
  typename Net::Backbone::template Parameters<float> backbone =
      adtr::bind_parameters<typename Net::Backbone::Layers>(frozen.data());
  typename adtr::TrainedTensors<Net>::template Parameters<float> tensors =
      adtr::bind_parameters<adtr::TrainedTensors<Net>>(trained.data());

  ParametersOf() {
    adtr::RandomStream random(2, 1);
    for (float& w : frozen.span()) w = static_cast<float>(0.4 * (random.uniform() - 0.5));
    for (float& w : trained.span()) w = static_cast<float>(0.2 * (random.uniform() - 0.5));
    for (adtr::Index c = 0; c < Net::Features::channels; ++c) tensors.feature_std[c] = 1.0F + tensors.feature_std[c];
    for (adtr::Index u = 0; u < Net::Features::positions; ++u) tensors.score_std[u] = 1.0F + tensors.score_std[u];
  }
};

using Parameters = ParametersOf<Network>;

/// A file that is removed with this object.
template <class N>
struct FileOf {
  std::string path = (std::filesystem::temp_directory_path() / ("adtr_model_" + std::to_string(getpid()))).string();
  FileOf() {
    static const ParametersOf<N> parameters;  // millions of random numbers, drawn once
    adtr::save_model<typename N::type, float>(path, parameters.tensors, parameters.backbone, description());
  }
  FileOf(const FileOf&) = delete;
  ~FileOf() { std::filesystem::remove(path); }
};
using File = FileOf<Network>;

inline adtr::Image picture(adtr::Index height = 40, adtr::Index width = 50, std::uint64_t seed = 1) {
  adtr::Image image(height, width);
  adtr::RandomStream random(seed, 9);
  for (auto& byte : image.data) byte = static_cast<std::uint8_t>(random.below(256));
  return image;
}

}  // namespace small_model

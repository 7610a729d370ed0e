/// A network with the formula's parameters, and its inputs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "adtr/core/buffer.hpp"
#include "adtr/models/catalogue.hpp"
#include "adtr/weights/loader.hpp"
#include "golden/golden.hpp"

namespace golden {

inline constexpr adtr::Index batch = 2;

/// The prefix of an image's tensors.
inline std::string prefix(adtr::Index image) { return image == 0 ? "" : "second."; }

/// Both images' values of the formula, one after the other.
template <class T>
std::vector<T> batch_of(const std::string& name, adtr::Index size, double scale) {
  std::vector<T> all;
  for (adtr::Index b = 0; b < batch; ++b) {
    const auto one = formula::uniform<T>(name + std::to_string(b), static_cast<std::size_t>(size), scale);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

/// The parameters of ADTR of type `Net` for backend B, in the host's memory. It reads them from a weights file that it
/// writes.
template <class B, class Net>
struct FormulaNetwork {
  using T = typename B::Scalar;
  using Layers = typename Net::Backbone::Layers;

  FormulaNetwork(const Golden& golden, const adtr::Numerics& numerics)
      : padding(numerics.padding),
        frozen(adtr::parameter_count<Layers>),
        trained(adtr::parameter_count<typename Net::Transformer>),
        backbone(adtr::bind_parameters<Layers, T>(frozen.data())),
        transformer(adtr::bind_parameters<typename Net::Transformer, T>(trained.data())) {
    const std::string path = (std::filesystem::temp_directory_path() / ("adtr_golden_" + golden.name())).string() +
                             std::to_string(sizeof(T)) + B::name;
    write_weights(path, golden.parameters());
    const auto file = adtr::SafetensorsFile::open(path);
    std::filesystem::remove(path);
    adtr::ParameterLoader<T> loader(file, numerics.bn_eps);
    adtr::walk_parameters(backbone, "backbone.", loader);
    adtr::walk_parameters(transformer, "", loader);
    loader.finish([](const std::string&) { return false; });
  }

  adtr::Padding padding;
  adtr::Buffer<T> frozen, trained;
  adtr::ParametersOf<typename Net::Backbone, T> backbone;
  adtr::ParametersOf<typename Net::Transformer, T> transformer;
};

}  // namespace golden

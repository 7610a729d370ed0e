/// The material for tests of the program: small pictures, and random weights of a real backbone.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "adtr/core/random.hpp"
#include "adtr/data/image_file.hpp"
#include "adtr/models/catalogue.hpp"
#include "adtr/weights/loader.hpp"
#include "adtr/weights/safetensors_writer.hpp"
#include "cli/program.hpp"

/// The smallest network that the program is compiled for.
using TestNetwork = adtr::Network<adtr::Architecture::efficientnet_lite0, 32, 8>;

/// A smooth pattern that depends on `seed`, with a dark square if `defective`.
inline adtr::Image picture(std::uint64_t seed, bool defective = false, adtr::Index side = 40) {
  adtr::RandomStream random(seed, 0);
  const double phase = random.uniform(), tilt = random.uniform();
  adtr::Image image(side, side);
  for (adtr::Index y = 0; y < side; ++y)
    for (adtr::Index x = 0; x < side; ++x)
      for (adtr::Index c = 0; c < 3; ++c) {
        const double wave = std::sin(0.3 * static_cast<double>(x + c) + 6.0 * phase + tilt * static_cast<double>(y));
        const bool inside = defective && x >= 10 && x < 24 && y >= 10 && y < 24;
        image.row(y)[3 * x + c] = static_cast<std::uint8_t>(inside ? 10.0 : 140.0 + 60.0 * wave);
      }
  return image;
}

inline adtr::Image square_mask(adtr::Index side = 40) {
  adtr::Image mask(side, side);
  std::fill(mask.data.begin(), mask.data.end(), std::uint8_t{0});
  for (adtr::Index y = 10; y < std::min<adtr::Index>(24, side); ++y)
    for (adtr::Index x = 10; x < std::min<adtr::Index>(24, side); ++x)
      std::fill_n(mask.row(y) + 3 * x, 3, std::uint8_t{255});
  return mask;
}

inline void write_picture(const std::string& path, const adtr::Image& image) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  adtr::write_png(path, image);
}

/// A folder in MVTec's layout with five good training images, and two good and two defective test images.
inline void write_data(const std::string& folder) {
  for (std::uint64_t i = 0; i < 5; ++i) write_picture(folder + "/train/good/" + std::to_string(i) + ".png", picture(i));
  for (std::uint64_t i = 0; i < 2; ++i) {
    const std::string name = std::to_string(i);
    write_picture(folder + "/test/good/" + name + ".png", picture(10 + i));
    write_picture(folder + "/test/square/" + name + ".png", picture(20 + i, true));
    write_picture(folder + "/ground_truth/square/" + name + "_mask.png", square_mask());
  }
}

/// Tensors of a file, to be changed before they are written.
struct TensorFile {
  struct Tensor {
    std::vector<std::size_t> shape;
    std::vector<float> values;
  };
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;

  static TensorFile read(const std::string& path) {
    const auto file = adtr::SafetensorsFile::open(path);
    TensorFile result;
    for (const auto& t : file.tensors()) result.tensors[t.name] = {t.shape, file.read<float>(t.name)};
    result.metadata = file.metadata();
    return result;
  }

  void write(const std::string& path) const {
    std::vector<adtr::SafetensorsTensor> list;
    for (const auto& [name, t] : tensors) list.push_back(adtr::tensor_of<float>(name, t.shape, t.values));
    adtr::write_safetensors(path, list, metadata);
  }
};

/// Random weights under the names and with the shapes of the parameter list, batch norms folded, scaled so that
/// activations neither die nor grow (He et al., 2015).
inline TensorFile random_backbone() {
  struct Collector {
    TensorFile file;
    adtr::RandomStream random{7, 0};
    void tensor(const std::string&, float*, const adtr::Shape&) {}
    void folded(const std::string& path, const adtr::Folded& names, float*, float*, const adtr::Shape& shape) {
      TensorFile::Tensor weight, bias;
      for (int i = 0; i < shape.rank; ++i)
        weight.shape.push_back(static_cast<std::size_t>(shape.sizes[static_cast<std::size_t>(i)]));
      const auto outputs = weight.shape[0];
      const auto size = static_cast<std::size_t>(shape.size());
      const double deviation = std::sqrt(2.0 * static_cast<double>(outputs) / static_cast<double>(size));
      weight.values.resize(size);
      std::generate(weight.values.begin(), weight.values.end(),
                    [&] { return static_cast<float>(deviation * random.normal()); });
      bias = {{outputs}, std::vector<float>(outputs, 0.01F)};
      file.tensors[path + names.convolution + ".weight"] = std::move(weight);
      file.tensors[path + names.convolution + ".bias"] = std::move(bias);
    }
  } collector;
  typename TestNetwork::type::Backbone::Parameters<float> parameters{};
  adtr::walk_parameters(parameters, "", collector);
  collector.file.metadata["architecture"] = std::string(adtr::name_of(TestNetwork::architecture));
  return std::move(collector.file);
}

/// Data, weights, and a model with a threshold that the program trained. Made once for all tests.
class Material {
 public:
  static const Material& get() {
    static const Material material;
    return material;
  }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }
  [[nodiscard]] std::string data() const { return file("data"); }
  [[nodiscard]] std::string weights() const { return file("lite0.safetensors"); }
  [[nodiscard]] std::string model() const { return file("model.adtr"); }

  /// Puts a model at `path`, as if from an earlier run.
  void put_earlier(const std::string& path) const { std::filesystem::copy_file(model(), path); }
  [[nodiscard]] bool is_earlier(const std::string& path) const { return read_whole(path) == read_whole(model()); }

  /// The arguments of a short training run.
  [[nodiscard]] std::vector<std::string> training(const std::string& out, std::vector<std::string> more = {}) const {
    std::vector<std::string> a{"train", "--data", data(), "--backbone", weights(), "--out", out};
    a.insert(a.end(), {"--image-size", "32", "--grid", "8", "--epochs", "2", "--batch", "2", "--threads", "1"});
    a.insert(a.end(), more.begin(), more.end());
    return a;
  }

 private:
  Material() {
    write_data(data());
    random_backbone().write(weights());
    const Outcome outcome = run(training(model(), {"--hold-out", "0.4"}));
    if (outcome.status != 0) throw std::runtime_error("training failed: " + outcome.err);
  }
  TemporaryFolder folder_;
};

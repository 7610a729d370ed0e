/// Short but complete training runs: small images, a small network, and a folder that is removed with the test.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "adtr/data/image_file.hpp"
#include "adtr/train/train_model.hpp"
#include "models/small_model.hpp"

namespace small_run {

namespace fs = std::filesystem;
using adtr::Index;

/// A folder with images, a backbone's weights and a model to start from.
struct Folder {
  fs::path path;
  small_model::File model;

  Folder() {
    static int number = 0;
    path = fs::temp_directory_path() / ("adtr_run_" + std::to_string(getpid()) + "_" + std::to_string(number++));
    fs::create_directory(path);
    write_weights();
  }
  Folder(const Folder&) = delete;
  ~Folder() { fs::remove_all(path); }

  [[nodiscard]] std::string file(const std::string& name) const { return (path / name).string(); }

  /// Writes this number of images; the same `first` always gives the same images.
  [[nodiscard]] std::vector<adtr::Sample> images(std::size_t count, std::uint64_t first = 1,
                                                 const std::string& name = "good") const {
    std::vector<adtr::Sample> samples;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
      adtr::Sample sample;
      sample.path = file(name + std::to_string(seed) + ".png");
      adtr::write_png(sample.path, small_model::picture(24, 24, seed));
      samples.push_back(sample);
    }
    return samples;
  }

  /// The names of all entries in the folder, except images and weights.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path))
      if (entry.path().extension() != ".png" && entry.path().filename() != "weights")
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  /// Two epochs with batches of two images, on six images of which two are held out, on one thread.
  [[nodiscard]] adtr::TrainingRequest request(const std::string& out, bool from_model = false) const {
    adtr::TrainingRequest r;
    r.good = images(6);
    r.hold_out = 0.3;
    (from_model ? r.start : r.weights) = from_model ? model.path : file("weights");
    r.image_size = 32;
    r.grid = 8;
    r.options = adtr::training_options(adtr::Recipe::fast);
    r.options.epochs = 2;
    r.options.batch = 2;
    r.options.dropout = 0.1;
    r.out = file(out);
    r.threads = 1;
    return r;
  }

 private:
  /// The model's backbone as a separate file.
  void write_weights() const {
    const auto whole = adtr::SafetensorsFile::open(model.path);
    constexpr std::string_view prefix = "backbone.";
    std::vector<adtr::SafetensorsTensor> tensors;
    for (adtr::SafetensorsTensor tensor : whole.tensors()) {
      if (!tensor.name.starts_with(prefix)) continue;
      tensor.name = tensor.name.substr(prefix.size());
      tensors.push_back(tensor);
    }
    adtr::write_safetensors(file("weights"), tensors, {{"architecture", "efficientnet_lite0"}});
  }
};

inline adtr::TrainingResult train(const adtr::TrainingRequest& request, const adtr::TrainingProgress& progress = {}) {
  return adtr::train_model<adtr::Cpu, small_model::Networks>(request, progress);
}

inline std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The error of a run that must not succeed.
inline adtr::Error error_of(const adtr::TrainingRequest& request, const adtr::TrainingProgress& progress = {}) {
  try {
    static_cast<void>(train(request, progress));
  } catch (const adtr::Error& e) {
    return e;
  }
  FAIL("expected an Error");
  return adtr::Error("");
}

inline std::map<std::string, std::string> notes_of(const std::string& model) {
  return adtr::read_description(adtr::SafetensorsFile::open(model)).notes;
}

}  // namespace small_run

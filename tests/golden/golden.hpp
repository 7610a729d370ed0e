/// Golden tensors, which PyTorch computed with the formula's weights (README.md), and the error of a result.
///
///     const golden::Golden expected("b0_256_16");
///     CHECK(expected.error<T>("tap.0", tap) < golden::tolerance<T>);
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <fstream>
#include <limits>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "adtr/core/error.hpp"
#include "adtr/weights/safetensors.hpp"
#include "adtr/weights/safetensors_writer.hpp"
#include "golden/formula.hpp"

namespace golden {

/// A parameter or statistic of a network: its name in PyTorch (a backbone's after `backbone.`) and its shape there.
struct Parameter {
  std::string name;
  std::vector<std::size_t> shape;

  /// Its values from the formula.
  template <std::floating_point T>
  [[nodiscard]] std::vector<T> values() const {
    return formula::parameter<T>(name, shape);
  }
};

/// The statistics of a tensor that are stored in addition to its samples.
struct Statistics {
  std::size_t size = 0;
  double largest = 0.0;  ///< max|x|
  double sum = 0.0;
  double sum_of_squares = 0.0;
  double float32_error = 0.0;  ///< error() of PyTorch's own float32 run
};

/// The maximum difference between a backend and PyTorch in float64, relative to a tensor's largest magnitude.
template <std::floating_point T>
inline constexpr double tolerance = std::same_as<T, double> ? 1e-9 : 2e-4;

/// The same for few operations in a row, whose rounding does not add up.
template <std::floating_point T>
inline constexpr double exact_tolerance = std::same_as<T, double> ? 1e-12 : 1e-6;

/// One golden file, tests/golden/data/<name>.safetensors.
class Golden {
 public:
  explicit Golden(const std::string& name)
      : name_(name),
        path_(std::string(ADTR_SOURCE_DIR) + "/tests/golden/data/" + name),
        file_(adtr::SafetensorsFile::open(path_ + ".safetensors")) {}

  [[nodiscard]] const std::string& name() const { return name_; }

  /// Every parameter of the network, backbone first.
  [[nodiscard]] std::vector<Parameter> parameters() const {
    std::ifstream in(path_ + ".parameters.txt");
    std::vector<Parameter> list;
    for (std::string line; std::getline(in, line);) {
      std::istringstream words(line);
      Parameter p;
      words >> p.name;
      for (std::size_t d = 0; words >> d;) p.shape.push_back(d);
      list.push_back(std::move(p));
    }
    if (list.empty()) throw adtr::file_error(path_ + ".parameters.txt", "expected parameters, found none");
    return list;
  }

  /// A tensor that is stored whole.
  template <std::floating_point T>
  [[nodiscard]] std::vector<T> values(const std::string& tensor) const {
    const std::vector<double> all = read(tensor);
    if (all.size() != statistics(tensor).size) throw adtr::file_error(path_, "has only samples of '" + tensor + "'");
    return {all.begin(), all.end()};
  }

  [[nodiscard]] Statistics statistics(const std::string& tensor) const {
    const std::vector<double> s = read(tensor + "#stats");
    return {static_cast<std::size_t>(s.at(0)), s.at(1), s.at(2), s.at(3), s.at(4)};
  }

  /// The error of `actual`, relative to the golden tensor's largest magnitude; infinity if `actual`
  /// has another size or contains a number that is not finite.
  ///
  /// The largest of four: that of the samples; that of max|x|; and, for what lies between the samples, that of Σx over
  /// √n and of Σx² over 2·√Σx², which are about the error of an element where errors are random. One element off by
  /// the tensor's largest magnitude counts 1/√n.
  template <std::floating_point T>
  [[nodiscard]] double error(const std::string& tensor, std::span<const T> actual) const {
    const double of_samples = sample_error(tensor, actual);
    if (!std::isfinite(of_samples)) return of_samples;
    const Statistics expected = statistics(tensor);
    double largest = 0.0;
    double sum = 0.0;
    double sum_of_squares = 0.0;
    for (const T element : actual) {
      const auto x = static_cast<double>(element);
      largest = std::max(largest, std::abs(x));
      sum += x;
      sum_of_squares += x * x;
    }
    const double n = static_cast<double>(actual.size());
    const double of_sum = std::abs(sum - expected.sum) / std::sqrt(n);
    const double of_squares =
        std::abs(sum_of_squares - expected.sum_of_squares) / (2.0 * std::sqrt(expected.sum_of_squares));
    return std::max({of_samples, std::abs(largest - expected.largest) / expected.largest, of_sum / expected.largest,
                     of_squares / expected.largest});
  }

  /// The error of the samples only, without the share `ignored` with the largest errors.
  template <std::floating_point T>
  [[nodiscard]] double sample_error(const std::string& tensor, std::span<const T> actual, double ignored = 0.0) const {
    const std::vector<double> samples = read(tensor);
    const Statistics expected = statistics(tensor);
    const std::size_t n = actual.size();
    const bool finite = std::all_of(actual.begin(), actual.end(), [](T x) { return std::isfinite(x); });
    if (n != expected.size || !finite) return std::numeric_limits<double>::infinity();
    std::vector<double> errors;
    for (std::size_t j = 0; j < samples.size(); ++j) {
      const std::size_t i = samples.size() == n ? j : formula::sample_index(j, n, samples.size());
      errors.push_back(std::abs(static_cast<double>(actual[i]) - samples[j]) / expected.largest);
    }
    std::sort(errors.begin(), errors.end());
    return errors[errors.size() - 1 - static_cast<std::size_t>(ignored * static_cast<double>(errors.size()))];
  }

  /// The error of `adamw3.<parameter>`, the parameter after three steps of AdamW.
  ///
  /// AdamW divides a gradient by its own magnitude, so in float an element whose gradient is 0 but for rounding moves
  /// by as much as the learning rate, up or down: every bias of keys (a third of in_proj_bias; softmax does not see
  /// it), and one element in a hundred thousand elsewhere. Those samples are left out; in double none is.
  template <std::floating_point T>
  [[nodiscard]] double adamw_error(const std::string& parameter, std::span<const T> actual) const {
    const std::string tensor = "adamw3." + parameter;
    if constexpr (std::same_as<T, double>) return error(tensor, actual);
    return sample_error(tensor, actual, parameter.ends_with("in_proj_bias") ? 0.4 : 0.02);
  }

 private:
  [[nodiscard]] std::vector<double> read(const std::string& tensor) const { return file_.read<double>(tensor); }

  std::string name_, path_;
  adtr::SafetensorsFile file_;
};

/// Writes those of the parameters whose name begins with `prefix`, without it, as a float32 weights file.
inline void write_weights(const std::string& path, const std::vector<Parameter>& parameters,
                          const std::string& prefix = "") {
  std::vector<std::vector<float>> values;
  std::vector<adtr::SafetensorsTensor> tensors;
  for (const Parameter& p : parameters) {
    if (!p.name.starts_with(prefix)) continue;
    values.push_back(p.values<float>());
    tensors.push_back(adtr::tensor_of<float>(p.name.substr(prefix.size()), p.shape, values.back()));
  }
  adtr::write_safetensors(path, tensors);
}

}  // namespace golden

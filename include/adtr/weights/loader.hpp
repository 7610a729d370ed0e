/// Fills a layer's parameters from a weights file: checks every tensor, reports all problems in one error, and folds
/// batch norms.
#pragma once

#include <cmath>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "adtr/core/buffer.hpp"
#include "adtr/weights/borrowed.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Walks a parameter list (walk_parameters) and fills each parameter from a file. A null parameter is set to
/// point at the values instead: into the mapped file if type and order match, otherwise at a copy that the loader
/// keeps. Such parameters are read-only. Nothing throws before finish(), so that one error describes all wrong tensors
/// of a file.
///
/// The walk does not touch values that stay in the file: parts() checks them, and finish_values() reports the result.
template <std::floating_point T>
class ParameterLoader {
 public:
  using Rename = std::function<std::string(const std::string&)>;

  /// `rename` maps a canonical name to the file's name; `bn_eps` is the epsilon of the batch norms; `for_each` runs the
  /// checks of parts() on its threads.
  ParameterLoader(
      const SafetensorsFile& file, double bn_eps, Rename rename = [](const std::string& name) { return name; },
      RunEach for_each =
          [](Index count, const std::function<void(Index)>& fn) {
            for (Index i = 0; i < count; ++i) fn(i);
          })
      : file_(file), bn_eps_(bn_eps), rename_(std::move(rename)), borrowed_(file, std::move(for_each)) {}
  ParameterLoader(SafetensorsFile&&, double) = delete;  // the file must outlive the loader
  ParameterLoader(const ParameterLoader&) = delete;     // parts() points into the loader
  ParameterLoader& operator=(const ParameterLoader&) = delete;

  void tensor(const std::string& name, T*& data, const Shape& shape) { read(rename_(name), shape, data); }

  /// Reads a convolution and folds its batch norm: weight' = weight·γ/√(variance + eps), bias' = β − mean·γ/√(variance
  /// + eps). If the file has a bias but no batch norm, its convolution is already folded.
  void folded(const std::string& path, const Folded& names, T*& weight, T*& bias, const Shape& shape) {
    const auto convolution = [&](const char* part) { return rename_(path + names.convolution + part); };
    const auto norm = [&](const char* part) { return rename_(path + names.norm + part); };
    const Index outputs = shape.sizes[0];
    const bool folds =
        names.norm != nullptr && !(file_.contains(convolution(".bias")) && !file_.contains(norm(".weight")));
    const bool in_order = !names.depthwise && shape.sizes[2] * shape.sizes[3] == 1;
    if (in_order && !folds) {
      read(convolution(".weight"), shape, weight);
    } else {
      if (weight == nullptr) weight = keep(shape.size());
      read_reordered(convolution(".weight"), shape, names.depthwise, weight);
    }
    if (!folds) {
      read(convolution(".bias"), Shape{outputs}, bias);
      return;
    }
    if (bias == nullptr) bias = keep(outputs);
    const auto n = static_cast<std::size_t>(outputs);
    std::vector<T> gamma(n), beta(n), mean(n), variance(n);
    const bool complete = static_cast<int>(copy(norm(".weight"), Shape{outputs}, gamma.data())) &
                          static_cast<int>(copy(norm(".bias"), Shape{outputs}, beta.data())) &
                          static_cast<int>(copy(norm(".running_mean"), Shape{outputs}, mean.data())) &
                          static_cast<int>(copy(norm(".running_var"), Shape{outputs}, variance.data()));
    if (!complete) return;
    const Index inputs = shape.size() / outputs;
    for (std::size_t o = 0; o < n; ++o) {
      const double scale = static_cast<double>(gamma[o]) / std::sqrt(static_cast<double>(variance[o]) + bn_eps_);
      bias[o] = static_cast<T>(static_cast<double>(beta[o]) - static_cast<double>(mean[o]) * scale);
      for (Index i = 0; i < inputs; ++i) {
        T& w =
            names.depthwise ? weight[i * outputs + static_cast<Index>(o)] : weight[static_cast<Index>(o) * inputs + i];
        w = static_cast<T>(static_cast<double>(w) * scale);
      }
    }
  }

  /// Throws Error (bad_weights) that lists all missing tensors, those of a wrong shape or with values that are not
  /// finite, and every tensor of the file that was not read, unless `known_surplus(name)`. If nearly all tensors are
  /// missing, the file is for another network, and the error says only that; `likely`, if not empty, then names that
  /// network.
  void finish(const std::function<bool(const std::string&)>& known_surplus, const std::string& likely = "") {
    std::vector<std::string> surplus;
    for (const SafetensorsTensor& t : file_.tensors())
      if (!used_.contains(t.name) && !known_surplus(t.name)) surplus.push_back(quoted_for_message(t.name));
    if (missing_.empty() && misshapen_.empty() && unusable_.empty() && surplus.empty()) return;
    if (missing_.size() >= 8 && missing_.size() * 4 >= used_.size() * 3) fail_as_other_network(surplus, likely);
    append(unusable_, borrowed_.finish());
    fail(surplus);
  }

  /// The listener for the parts of the network, in any order, each before it is packed.
  [[nodiscard]] PartListener parts() { return PartListener(borrowed_); }

  /// Call after packing. Throws Error that lists every tensor with values that are not finite.
  void finish_values() {
    append(unusable_, borrowed_.finish());
    if (!unusable_.empty()) fail({});
  }

 private:
  static void append(std::vector<std::string>& to, const std::vector<std::string>& from) {
    to.insert(to.end(), from.begin(), from.end());
  }

  [[noreturn]] void fail(const std::vector<std::string>& surplus) const {
    std::string text;
    const auto list = [&](const char* what, const std::vector<std::string>& names) {
      if (names.empty()) return;
      text += (text.empty() ? "" : "; ") + std::to_string(names.size()) + ' ' + what + ": ";
      for (std::size_t i = 0; i < names.size() && i < 8; ++i) text += (i == 0 ? "" : ", ") + names[i];
      if (names.size() > 8) text += ", and " + std::to_string(names.size() - 8) + " more";
    };
    list("missing", missing_);
    list("of the wrong shape", misshapen_);
    list("with values that are not finite numbers", unusable_);
    list("that the network does not have", surplus);
    throw weights_error(file_.path(), "tensors do not fit the network: " + text);
  }

  [[noreturn]] void fail_as_other_network(const std::vector<std::string>& surplus, const std::string& likely) const {
    std::string text = "holds the weights of another network" + (likely.empty() ? "" : ", probably " + likely) + ": " +
                       std::to_string(missing_.size()) + " of this network's " + std::to_string(used_.size()) +
                       " tensors are missing, such as " + missing_.front();
    if (!surplus.empty()) text += "; the file has others, such as " + surplus.front();
    throw weights_error(file_.path(), text);
  }

  /// Returns the tensor if it exists and has this shape, otherwise records the problem and returns null.
  const SafetensorsTensor* find(const std::string& name, const Shape& shape) {
    used_.insert(name);
    const SafetensorsTensor* tensor = file_.find(name);
    if (tensor == nullptr) {
      missing_.push_back(quoted_for_message(name));
      return nullptr;
    }
    std::vector<std::size_t> expected;
    for (int i = 0; i < shape.rank; ++i)
      expected.push_back(static_cast<std::size_t>(shape.sizes[static_cast<std::size_t>(i)]));
    if (tensor->shape == expected) return tensor;
    misshapen_.push_back(quoted_for_message(name) + " is " + shape_text(tensor->shape) + ", expected " +
                         shape_text(expected));
    return nullptr;
  }

  bool copy(const std::string& name, const Shape& shape, T* out) {
    if (find(name, shape) == nullptr) return false;
    const std::span<T> values(out, static_cast<std::size_t>(shape.size()));
    file_.copy_to(name, values);
    return finite(name, values);
  }

  bool finite(const std::string& name, std::span<const T> values) {
    if (all_finite(values)) return true;
    unusable_.push_back(quoted_for_message(name));
    return false;
  }

  /// Copies the values to `out` or, if it is null, points it at them.
  void read(const std::string& name, const Shape& shape, T*& out) {
    if (out == nullptr) {
      const SafetensorsTensor* tensor = file_.find(name);
      const T* values = tensor == nullptr ? nullptr : SafetensorsFile::in_place<T>(*tensor);
      if (values != nullptr) {
        if (find(name, shape) == nullptr) return;
        borrowed_.add(name, values, shape.size());
        out = const_cast<T*>(values);  // parameters are writable pointers, but this mapping is read-only
        return;
      }
      out = keep(shape.size());
    }
    copy(name, shape, out);
  }

  void read_reordered(const std::string& name, const Shape& shape, bool depthwise, T* out) {
    const SafetensorsTensor* const tensor = find(name, shape);
    if (tensor == nullptr) return;
    const auto size = static_cast<std::size_t>(shape.size());
    std::vector<T> converted;
    const T* values = SafetensorsFile::in_place<T>(*tensor);
    if (values == nullptr) {
      converted.resize(size);
      file_.copy_to(name, std::span(converted));
      values = converted.data();
    }
    if (finite(name, {values, size})) reorder(values, out, shape, depthwise);
    file_.release(tensor->bytes);
  }

  T* keep(Index size) { return copies_.emplace_back(size).data(); }

  /// Reorders from the files' (out, in, ky, kx) to (out, ky, kx, in), or to (ky, kx, channel) if depthwise.
  static void reorder(const T* from, T* to, const Shape& shape, bool depthwise) {
    const Index outputs = shape.sizes[0], inputs = shape.sizes[1], area = shape.sizes[2] * shape.sizes[3];
    for (Index o = 0; o < outputs; ++o)
      for (Index i = 0; i < inputs; ++i)
        for (Index k = 0; k < area; ++k)
          to[depthwise ? k * outputs + o : (o * area + k) * inputs + i] = from[(o * inputs + i) * area + k];
  }

  const SafetensorsFile& file_;
  double bn_eps_;
  Rename rename_;
  BorrowedTensors<T> borrowed_;
  std::vector<Buffer<T>> copies_;
  std::set<std::string> used_;
  std::vector<std::string> missing_, misshapen_, unusable_;
};

/// Collects a layer's parameters as tensors to write. Folded convolutions become `<convolution>.weight`, in the files'
/// order, and `<convolution>.bias`, so that ParameterLoader reads them back bit for bit.
template <std::floating_point T>
class ParameterWriter {
 public:
  void tensor(const std::string& name, const T* data, const Shape& shape) { add(name, data, shape); }

  void folded(const std::string& path, const Folded& names, const T* weight, const T* bias, const Shape& shape) {
    const Index outputs = shape.sizes[0], inputs = shape.sizes[1], area = shape.sizes[2] * shape.sizes[3];
    std::vector<T>& values = copies_.emplace_back(static_cast<std::size_t>(shape.size()));
    for (Index o = 0; o < outputs; ++o)
      for (Index i = 0; i < inputs; ++i)
        for (Index k = 0; k < area; ++k)
          values[static_cast<std::size_t>((o * inputs + i) * area + k)] =
              weight[names.depthwise ? k * outputs + o : (o * area + k) * inputs + i];
    add(path + names.convolution + ".weight", values.data(), shape);
    add(path + names.convolution + ".bias", bias, Shape{outputs});
  }

  /// Valid as long as the parameters and this writer exist.
  [[nodiscard]] std::vector<SafetensorsTensor>& tensors() { return tensors_; }

 private:
  void add(const std::string& name, const T* data, const Shape& shape) {
    std::vector<std::size_t> sizes;
    for (int i = 0; i < shape.rank; ++i)
      sizes.push_back(static_cast<std::size_t>(shape.sizes[static_cast<std::size_t>(i)]));
    const std::span<const T> values(data, static_cast<std::size_t>(shape.size()));
    tensors_.push_back({name, sizeof(T) == 4 ? DType::F32 : DType::F64, std::move(sizes), std::as_bytes(values)});
  }

  std::vector<SafetensorsTensor> tensors_;
  std::vector<std::vector<T>> copies_;
};

}  // namespace ADTR_ABI
}  // namespace adtr

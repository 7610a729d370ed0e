/// The functions of ParameterLoader; see core/compiled.hpp.
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "adtr/weights/loader.hpp"

namespace adtr {
inline namespace ADTR_ABI {

template <std::floating_point T>
void ParameterLoader<T>::tensor(const std::string& name, T*& data, const Shape& shape) {
  read(rename_(name), shape, data);
}

template <std::floating_point T>
void ParameterLoader<T>::folded(const std::string& path, const Folded& names, T*& weight, T*& bias,
                                const Shape& shape) {
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
      T& w = names.depthwise ? weight[i * outputs + static_cast<Index>(o)] : weight[static_cast<Index>(o) * inputs + i];
      w = static_cast<T>(static_cast<double>(w) * scale);
    }
  }
}

template <std::floating_point T>
void ParameterLoader<T>::finish(const std::function<bool(const std::string&)>& known_surplus,
                                const std::string& likely) {
  std::vector<std::string> surplus;
  for (const SafetensorsTensor& t : file_.tensors())
    if (!used_.contains(t.name) && !known_surplus(t.name)) surplus.push_back(quoted_for_message(t.name));
  if (missing_.empty() && misshapen_.empty() && unusable_.empty() && surplus.empty()) return;
  if (missing_.size() >= 8 && missing_.size() * 4 >= used_.size() * 3) fail_as_other_network(surplus, likely);
  append(unusable_, borrowed_.finish());
  fail(surplus);
}

template <std::floating_point T>
void ParameterLoader<T>::finish_values() {
  append(unusable_, borrowed_.finish());
  if (!unusable_.empty()) fail({});
}

template <std::floating_point T>
void ParameterLoader<T>::append(std::vector<std::string>& to, const std::vector<std::string>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

template <std::floating_point T>
void ParameterLoader<T>::fail(const std::vector<std::string>& surplus) const {
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

template <std::floating_point T>
void ParameterLoader<T>::fail_as_other_network(const std::vector<std::string>& surplus,
                                               const std::string& likely) const {
  std::string text = "holds the weights of another network" + (likely.empty() ? "" : ", probably " + likely) + ": " +
                     std::to_string(missing_.size()) + " of this network's " + std::to_string(used_.size()) +
                     " tensors are missing, such as " + missing_.front();
  if (!surplus.empty()) text += "; the file has others, such as " + surplus.front();
  throw weights_error(file_.path(), text);
}

template <std::floating_point T>
const SafetensorsTensor* ParameterLoader<T>::find(const std::string& name, const Shape& shape) {
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

template <std::floating_point T>
bool ParameterLoader<T>::copy(const std::string& name, const Shape& shape, T* out) {
  if (find(name, shape) == nullptr) return false;
  const std::span<T> values(out, static_cast<std::size_t>(shape.size()));
  file_.copy_to(name, values);
  return finite(name, values);
}

template <std::floating_point T>
bool ParameterLoader<T>::finite(const std::string& name, std::span<const T> values) {
  if (all_finite(values)) return true;
  unusable_.push_back(quoted_for_message(name));
  return false;
}

template <std::floating_point T>
void ParameterLoader<T>::read(const std::string& name, const Shape& shape, T*& out) {
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

template <std::floating_point T>
void ParameterLoader<T>::read_reordered(const std::string& name, const Shape& shape, bool depthwise, T* out) {
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

template <std::floating_point T>
void ParameterLoader<T>::reorder(const T* from, T* to, const Shape& shape, bool depthwise) {
  const Index outputs = shape.sizes[0], inputs = shape.sizes[1], area = shape.sizes[2] * shape.sizes[3];
  for (Index o = 0; o < outputs; ++o)
    for (Index i = 0; i < inputs; ++i)
      for (Index k = 0; k < area; ++k)
        to[depthwise ? k * outputs + o : (o * area + k) * inputs + i] = from[(o * inputs + i) * area + k];
}

}  // namespace ADTR_ABI
}  // namespace adtr

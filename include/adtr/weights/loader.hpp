/// Fills a layer's parameters from a weights file: checks every tensor, reports all problems in one error, and folds
/// batch norms.
#pragma once

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

  void tensor(const std::string& name, T*& data, const Shape& shape);

  /// Reads a convolution and folds its batch norm: weight' = weight·γ/√(variance + eps), bias' = β − mean·γ/√(variance
  /// + eps). If the file has a bias but no batch norm, its convolution is already folded.
  void folded(const std::string& path, const Folded& names, T*& weight, T*& bias, const Shape& shape);

  /// Throws Error (bad_weights) that lists all missing tensors, those of a wrong shape or with values that are not
  /// finite, and every tensor of the file that was not read, unless `known_surplus(name)`. If nearly all tensors are
  /// missing, the file is for another network, and the error says only that; `likely`, if not empty, then names that
  /// network.
  void finish(const std::function<bool(const std::string&)>& known_surplus, const std::string& likely = "");

  /// The listener for the parts of the network, in any order, each before it is packed.
  [[nodiscard]] PartListener parts() { return PartListener(borrowed_); }

  /// Call after packing. Throws Error that lists every tensor with values that are not finite.
  void finish_values();

 private:
  static void append(std::vector<std::string>& to, const std::vector<std::string>& from);
  [[noreturn]] void fail(const std::vector<std::string>& surplus) const;
  [[noreturn]] void fail_as_other_network(const std::vector<std::string>& surplus, const std::string& likely) const;

  /// Returns the tensor if it exists and has this shape, otherwise records the problem and returns null.
  const SafetensorsTensor* find(const std::string& name, const Shape& shape);
  bool copy(const std::string& name, const Shape& shape, T* out);
  bool finite(const std::string& name, std::span<const T> values);
  /// Copies the values to `out` or, if it is null, points it at them.
  void read(const std::string& name, const Shape& shape, T*& out);
  void read_reordered(const std::string& name, const Shape& shape, bool depthwise, T* out);
  /// Reorders from the files' (out, in, ky, kx) to (out, ky, kx, in), or to (ky, kx, channel) if depthwise.
  static void reorder(const T* from, T* to, const Shape& shape, bool depthwise);
  T* keep(Index size) { return copies_.emplace_back(size).data(); }

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

#if defined(ADTR_EXTERN_KERNELS)
extern template class ParameterLoader<float>;
extern template class ParameterLoader<double>;
#endif

}  // namespace ADTR_ABI
}  // namespace adtr

#if !defined(ADTR_EXTERN_KERNELS)
#include "adtr/weights/loader.inl.hpp"
#endif

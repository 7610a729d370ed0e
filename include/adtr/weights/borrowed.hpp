/// Tensors that are used in place in a mapped file, part by part.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "adtr/nn/parameters.hpp"
#include "adtr/parallel/run_each.hpp"
#include "adtr/weights/safetensors.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The leaf of a PartListener. When a part is announced, its values are checked, which loads them into the cache just
/// before they are packed, and the pages of the previous part are released. So a network is never in memory twice.
template <std::floating_point T>
class BorrowedTensors {
 public:
  explicit BorrowedTensors(const SafetensorsFile& file, RunEach for_each)
      : file_(file), for_each_(std::move(for_each)) {}

  void add(const std::string& name, const T* data, Index size);

  void next_part();
  void tensor(const std::string& /*name*/, const T* data, const Shape& /*shape*/) { take(data); }
  void folded(const std::string& /*path*/, const Folded& /*names*/, const T* weight, const T* bias,
              const Shape& /*shape*/) {
    take(weight);
    take(bias);
  }

  /// Checks the tensors that no part contained, and returns the names of all tensors with values that are not finite.
  [[nodiscard]] const std::vector<std::string>& finish();

 private:
  struct Tensor {
    std::string name;
    std::span<const T> values;
    bool checked = false;
  };

  void take(const T* data);
  void check(Tensor& t);

  const SafetensorsFile& file_;
  RunEach for_each_;
  std::vector<Tensor> tensors_;
  std::unordered_map<const T*, std::size_t> index_;
  std::vector<std::span<const T>> part_;
  std::vector<std::string> unusable_;
};

#if defined(ADTR_EXTERN_KERNELS)
extern template class BorrowedTensors<float>;
extern template class BorrowedTensors<double>;
#endif

}  // namespace ADTR_ABI
}  // namespace adtr

#if !defined(ADTR_EXTERN_KERNELS)
#include "adtr/weights/borrowed.inl.hpp"
#endif

/// Tensors that are used in place in a mapped file, part by part.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "adtr/core/ceil_div.hpp"
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

  void add(const std::string& name, const T* data, Index size) {
    index_.emplace(data, tensors_.size());
    tensors_.push_back({name, {data, static_cast<std::size_t>(size)}});
  }

  void next_part() {
    for (const std::span<const T> values : part_) file_.release(std::as_bytes(values));
    part_.clear();
  }
  void tensor(const std::string& /*name*/, const T* data, const Shape& /*shape*/) { take(data); }
  void folded(const std::string& /*path*/, const Folded& /*names*/, const T* weight, const T* bias,
              const Shape& /*shape*/) {
    take(weight);
    take(bias);
  }

  /// Checks the tensors that no part contained, and returns the names of all tensors with values that are not finite.
  [[nodiscard]] const std::vector<std::string>& finish() {
    next_part();
    for (Tensor& t : tensors_) check(t);
    return unusable_;
  }

 private:
  struct Tensor {
    std::string name;
    std::span<const T> values;
    bool checked = false;
  };

  void take(const T* data) {
    const auto it = index_.find(data);
    if (it == index_.end()) return;  // a copy, which the loader has checked
    check(tensors_[it->second]);
    part_.push_back(tensors_[it->second].values);
  }

  void check(Tensor& t) {
    if (t.checked) return;
    t.checked = true;
    constexpr std::size_t piece = 32768;
    std::atomic<bool> finite{true};
    for_each_(static_cast<Index>(ceil_div(t.values.size(), piece)), [&](Index i) {
      const std::size_t begin = static_cast<std::size_t>(i) * piece;
      if (!all_finite(t.values.subspan(begin, (std::min)(piece, t.values.size() - begin)))) finite = false;
    });
    if (!finite) unusable_.push_back(quoted_for_message(t.name));
  }

  const SafetensorsFile& file_;
  RunEach for_each_;
  std::vector<Tensor> tensors_;
  std::unordered_map<const T*, std::size_t> index_;
  std::vector<std::span<const T>> part_;
  std::vector<std::string> unusable_;
};

}  // namespace ADTR_ABI
}  // namespace adtr

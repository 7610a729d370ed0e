/// The functions of BorrowedTensors; see core/compiled.hpp.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "adtr/core/ceil_div.hpp"
#include "adtr/weights/borrowed.hpp"

namespace adtr {
inline namespace ADTR_ABI {

template <std::floating_point T>
void BorrowedTensors<T>::add(const std::string& name, const T* data, Index size) {
  index_.emplace(data, tensors_.size());
  tensors_.push_back({name, {data, static_cast<std::size_t>(size)}});
}

template <std::floating_point T>
void BorrowedTensors<T>::next_part() {
  for (const std::span<const T> values : part_) file_.release(std::as_bytes(values));
  part_.clear();
}

template <std::floating_point T>
const std::vector<std::string>& BorrowedTensors<T>::finish() {
  next_part();
  for (Tensor& t : tensors_) check(t);
  return unusable_;
}

template <std::floating_point T>
void BorrowedTensors<T>::take(const T* data) {
  const auto it = index_.find(data);
  if (it == index_.end()) return;  // a copy, which the loader has checked
  check(tensors_[it->second]);
  part_.push_back(tensors_[it->second].values);
}

template <std::floating_point T>
void BorrowedTensors<T>::check(Tensor& t) {
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

}  // namespace ADTR_ABI
}  // namespace adtr

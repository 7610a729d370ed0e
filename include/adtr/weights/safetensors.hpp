/// Reads a safetensors file: tensors by name, from mapped memory, converted as they are copied.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "adtr/core/error.hpp"
#include "adtr/io/mapped_file.hpp"
#include "adtr/weights/safetensors_header.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// An open, fully checked file. Movable, not copyable; the spans of its tensors are valid as long as it exists.
class SafetensorsFile {
 public:
  /// Throws Error that names the file and says what is wrong with it.
  [[nodiscard]] static SafetensorsFile open(const std::string& path);

  /// The same of a file that lies in memory, whose bytes must outlive the object. `name` stands for its path in errors.
  [[nodiscard]] static SafetensorsFile in_memory(std::span<const std::byte> bytes, const std::string& name);

  [[nodiscard]] const std::string& path() const { return path_; }
  /// The tensors in the order of their bytes in the file.
  [[nodiscard]] const std::vector<SafetensorsTensor>& tensors() const { return header_.tensors; }
  /// The file's `__metadata__`; empty if it has none.
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return header_.metadata; }

  [[nodiscard]] std::vector<std::string> names() const;

  [[nodiscard]] bool contains(std::string_view name) const { return find(name) != nullptr; }

  /// Returns the tensor of that name, or null.
  [[nodiscard]] const SafetensorsTensor* find(std::string_view name) const;

  /// Returns the tensor of that name; throws Error if there is none.
  [[nodiscard]] const SafetensorsTensor& at(std::string_view name) const;

  /// Copies a tensor's elements as float or double, in the file's order (row-major). Throws Error if the tensor does
  /// not exist, does not have exactly out.size() elements, or has a type that is not a plain number.
  template <std::floating_point T>
  void copy_to(std::string_view name, std::span<T> out) const {
    const SafetensorsTensor& tensor = at(name);
    if (tensor.elements() != out.size())
      throw weights_error(path_, "tensor " + quoted_for_message(name) + " has " + std::to_string(tensor.elements()) +
                                     " elements, expected " + std::to_string(out.size()));
    if (!convert_elements(tensor.dtype, tensor.bytes, out))
      throw weights_error(path_, "tensor " + quoted_for_message(name) + " is of type " +
                                     std::string(dtype_name(tensor.dtype)) + ", expected real numbers such as F32");
  }

  /// As above, into a new vector.
  template <std::floating_point T>
  [[nodiscard]] std::vector<T> read(std::string_view name) const {
    std::vector<T> out(at(name).elements());
    copy_to(name, std::span(out));
    return out;
  }

  /// Returns the elements in the mapped file without a copy, or null if they have another type or are not aligned.
  template <std::floating_point T>
  [[nodiscard]] static const T* in_place(const SafetensorsTensor& tensor) {
    const bool same = tensor.dtype == (sizeof(T) == 4 ? DType::F32 : DType::F64);
    const bool aligned = reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % alignof(T) == 0;
    return same && aligned ? reinterpret_cast<const T*>(tensor.bytes.data()) : nullptr;
  }

  /// See MappedFile::release.
  void release(std::span<const std::byte> bytes) const { file_.release(bytes); }

 private:
  SafetensorsFile(const std::string& path, MappedFile file);

  std::string path_;
  MappedFile file_;
  SafetensorsHeader header_;
  std::unordered_map<std::string_view, std::size_t> index_;  ///< keys point into header_
};

/// Whether all values are finite. Tests bits of several values at a time, because a network has tens of millions of
/// them.
template <std::floating_point T>
[[nodiscard]] bool all_finite(std::span<const T> values) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr Bits exponent = sizeof(T) == 4 ? Bits{0xFF} << 23 : static_cast<Bits>(std::uint64_t{0x7FF} << 52);
  constexpr Bits one = exponent & (~exponent + 1), top = Bits{1} << (sizeof(T) * 8 - 1);
  std::array<Bits, 16> carries{};  // an exponent of all ones carries into the sign bit
  std::size_t i = 0;
  for (; i + carries.size() <= values.size(); i += carries.size())
    for (std::size_t k = 0; k < carries.size(); ++k)
      carries[k] |= (std::bit_cast<Bits>(values[i + k]) & exponent) + one;
  for (; i < values.size(); ++i) carries[0] |= (std::bit_cast<Bits>(values[i]) & exponent) + one;
  Bits any = 0;
  for (const Bits c : carries) any |= c;
  return (any & top) == 0;
}

/// Throws Error that names file and tensor if a value is infinite or NaN.
template <std::floating_point T>
void check_finite(const std::string& path, std::string_view name, std::span<const T> values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      throw weights_error(path, "tensor " + quoted_for_message(name) + " holds " + std::to_string(values[i]) +
                                    " at element " + std::to_string(i) + ", expected finite numbers");
}

}  // namespace ADTR_ABI
}  // namespace adtr

#if !defined(ADTR_EXTERN_KERNELS)
#include "adtr/weights/safetensors.inl.hpp"
#endif

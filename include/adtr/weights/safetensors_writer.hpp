/// Writes safetensors files: the same tensors give the same bytes as the reference implementation.
#pragma once

#include <concepts>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "adtr/weights/safetensors_header.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Describes values in memory as a tensor to write. They are not copied and must outlive the write.
template <std::floating_point T>
[[nodiscard]] SafetensorsTensor tensor_of(std::string name, std::vector<std::size_t> shape,
                                          std::type_identity_t<std::span<const T>> values) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);
  return {std::move(name), sizeof(T) == 4 ? DType::F32 : DType::F64, std::move(shape), std::as_bytes(values)};
}

/// Returns the first bytes of a file, up to the tensors: length and header, padded with spaces so that the tensors
/// begin at a multiple of 8. `tensors` must be in the order in which they will follow.
[[nodiscard]] std::string safetensors_preamble(const std::string& path,
                                               const std::vector<const SafetensorsTensor*>& tensors,
                                               const std::map<std::string, std::string>& metadata);

/// Writes a file atomically: what was at `path` is replaced by the complete new file, or stays unchanged on any failure
/// (an Error that names `path`). Order in the file: wider types first, then by name.
void write_safetensors(const std::string& path, std::span<const SafetensorsTensor> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace ADTR_ABI
}  // namespace adtr

#if !defined(ADTR_EXTERN_KERNELS)
#include "adtr/weights/safetensors_writer.inl.hpp"
#endif

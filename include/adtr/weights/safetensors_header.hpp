/// Parses the header of a safetensors file, and checks it against the file before any of it is used.
///
/// A file consists of a u64 length n, n bytes of JSON, and the tensors' bytes, all little-endian. The checks are those
/// of the reference implementation (huggingface/safetensors, tensor.rs); in addition, a repeated key is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adtr/core/error.hpp"
#include "adtr/io/json_text.hpp"
#include "adtr/weights/safetensors_dtype.hpp"

namespace adtr {
inline namespace ADTR_ABI {

static_assert(sizeof(std::size_t) == 8, "shapes and offsets of safetensors files have 64 bits");

/// One tensor, row-major, in memory that it does not own.
struct SafetensorsTensor {
  std::string name;
  DType dtype = DType::F32;
  std::vector<std::size_t> shape;
  std::span<const std::byte> bytes;  ///< not necessarily aligned

  [[nodiscard]] std::size_t elements() const { return bytes.size() * 8 / dtype_bits(dtype); }
};

struct SafetensorsHeader {
  std::vector<SafetensorsTensor> tensors;  ///< in the order of their bytes in the file
  std::map<std::string, std::string> metadata;
};

inline constexpr std::uint64_t safetensors_header_limit = 100'000'000;

/// Returns an error about a file's content, with the code bad_weights.
[[nodiscard]] Error weights_error(const std::string& path, const std::string& sentence);

/// Returns a text such as "[32, 3, 3, 3]".
[[nodiscard]] std::string shape_text(std::span<const std::size_t> shape);

/// Returns the bytes of a tensor of this type and shape, or nothing if their number overflows 64 bits or is not whole.
[[nodiscard]] std::optional<std::size_t> tensor_bytes(DType dtype, std::span<const std::size_t> shape);

/// Parses and checks a whole file in memory. The tensors point into `file`; `path` is for messages. Throws Error
/// (bad_weights), which names the type of a file that is not safetensors.
[[nodiscard]] SafetensorsHeader parse_safetensors(std::span<const std::byte> file, const std::string& path);

}  // namespace ADTR_ABI
}  // namespace adtr

#if !defined(ADTR_EXTERN_KERNELS)
#include "adtr/weights/safetensors_header.inl.hpp"
#endif

/// The functions of safetensors_header.hpp; see core/compiled.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "adtr/core/compiled.hpp"
#include "adtr/core/error.hpp"
#include "adtr/io/json.hpp"
#include "adtr/weights/foreign_file.hpp"
#include "adtr/weights/safetensors_header.hpp"

namespace adtr {
inline namespace ADTR_ABI {

ADTR_FUNCTION Error weights_error(const std::string& path, const std::string& sentence) {
  return file_error(path, sentence, ErrorCode::bad_weights);
}

ADTR_FUNCTION std::string shape_text(std::span<const std::size_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

ADTR_FUNCTION std::optional<std::size_t> tensor_bytes(DType dtype, std::span<const std::size_t> shape) {
  std::size_t bits = dtype_bits(dtype);
  std::size_t elements = 1;
  for (const std::size_t n : shape)
    if (__builtin_mul_overflow(elements, n, &elements)) return std::nullopt;
  if (__builtin_mul_overflow(bits, elements, &bits) || bits % 8 != 0) return std::nullopt;
  return bits / 8;
}

namespace detail {

struct TensorEntry {
  SafetensorsTensor tensor;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::size_t order = 0;  ///< place in the header, which decides between empty tensors at one offset
};

/// Reads {"dtype": ..., "shape": [...], "data_offsets": [begin, end]}; ignores other keys.
inline TensorEntry read_tensor_entry(JsonReader& json, const std::string& name, const std::string& path) {
  TensorEntry entry;
  entry.tensor.name = name;
  bool has_dtype = false;
  bool has_shape = false;
  std::vector<std::uint64_t> offsets;
  json.object([&](const std::string& key) {
    if (key == "dtype") {
      const std::string text = json.string();
      const std::optional<DType> dtype = dtype_from_name(text);
      if (!dtype)
        throw weights_error(path, "tensor " + quoted_for_message(name) + " has the unknown dtype " +
                                      quoted_for_message(text) + ", expected one of safetensors such as \"F32\"");
      entry.tensor.dtype = *dtype;
      has_dtype = true;
    } else if (key == "shape") {
      json.array([&] { entry.tensor.shape.push_back(json.unsigned_integer()); });
      has_shape = true;
    } else if (key == "data_offsets") {
      json.array([&] { offsets.push_back(json.unsigned_integer()); });
    } else {
      json.skip_value();
    }
  });
  if (!has_dtype || !has_shape || offsets.size() != 2)
    throw weights_error(path, "tensor " + quoted_for_message(name) + " has no " +
                                  (!has_dtype   ? "dtype"
                                   : !has_shape ? "shape"
                                                : "data_offsets of two numbers") +
                                  " in the header");
  entry.begin = offsets[0];
  entry.end = offsets[1];
  return entry;
}

inline void read_metadata(JsonReader& json, std::map<std::string, std::string>& metadata) {
  if (json.next() == 'n') return json.skip_value();  // null means absent
  json.object([&](const std::string& key) { metadata.emplace(key, json.string()); });
}

/// Checks that the tensors, in the order of their bytes, follow each other without a gap, that each has the bytes that
/// its shape needs, and that together they fill the data.
inline void check_layout(const std::vector<TensorEntry>& entries, std::uint64_t data_size, const std::string& path) {
  std::uint64_t at = 0;
  for (const TensorEntry& e : entries) {
    const auto fail = [&](const std::string& sentence) {
      throw weights_error(path, "tensor " + quoted_for_message(e.tensor.name) + " " + sentence);
    };
    const std::string range = "[" + std::to_string(e.begin) + ", " + std::to_string(e.end) + "]";
    if (e.begin != at || e.end < e.begin)
      fail("has the data_offsets " + range + ", expected them to begin at " + std::to_string(at) +
           ", where the tensor before it ends, and not to run backwards");
    const std::optional<std::size_t> size = tensor_bytes(e.tensor.dtype, e.tensor.shape);
    const std::string kind = "of type " + std::string(dtype_name(e.tensor.dtype)) + " and shape " +
                             quoted_for_message(shape_text(e.tensor.shape));
    if (!size) fail(kind + " has a size that overflows 64 bits or is not a whole number of bytes");
    if (*size != e.end - e.begin)
      fail(kind + " needs " + std::to_string(*size) + " bytes, but its data_offsets " + range + " hold " +
           std::to_string(e.end - e.begin));
    at = e.end;
  }
  if (at != data_size)
    throw weights_error(path, "the header describes " + std::to_string(at) + " bytes of tensors, but " +
                                  std::to_string(data_size) + " follow it" +
                                  (at > data_size ? " (truncated file?)" : " (surplus bytes at the end)"));
}

}  // namespace detail

ADTR_FUNCTION SafetensorsHeader parse_safetensors(std::span<const std::byte> file, const std::string& path) {
  if (const auto sentence = foreign_file_sentence(file)) throw weights_error(path, *sentence);
  std::uint64_t length = 0;
  if (file.size() < sizeof(length))
    throw weights_error(path,
                        "not a safetensors file: expected at least 8 bytes, found " + std::to_string(file.size()));
  std::memcpy(&length, file.data(), sizeof(length));
  if (length > safetensors_header_limit)
    throw weights_error(path, "not a safetensors file: its first 8 bytes do not give the length of a header below " +
                                  std::to_string(safetensors_header_limit / 1'000'000) + " MB");
  const std::span<const std::byte> rest = file.subspan(sizeof(length));
  if (length > rest.size())
    throw weights_error(path, "truncated: its header should have " + std::to_string(length) + " bytes, but " +
                                  std::to_string(rest.size()) + " follow");
  const auto n = static_cast<std::size_t>(length);
  const std::span<const std::byte> data = rest.subspan(n);

  SafetensorsHeader header;
  std::vector<detail::TensorEntry> entries;
  JsonReader json({reinterpret_cast<const char*>(rest.data()), n}, path, "the header");
  json.object([&](const std::string& key) {
    if (key == "__metadata__") {
      detail::read_metadata(json, header.metadata);
    } else {
      entries.push_back(detail::read_tensor_entry(json, key, path));
      entries.back().order = entries.size();
    }
  });
  json.end();

  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::tuple(a.begin, a.end, a.order) < std::tuple(b.begin, b.end, b.order);
  });
  detail::check_layout(entries, data.size(), path);
  header.tensors.reserve(entries.size());
  for (detail::TensorEntry& e : entries) {
    e.tensor.bytes = data.subspan(e.begin, e.end - e.begin);
    header.tensors.push_back(std::move(e.tensor));
  }
  return header;
}

}  // namespace ADTR_ABI
}  // namespace adtr

/// The functions of safetensors_writer.hpp that are not templates; see core/compiled.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adtr/core/ceil_div.hpp"
#include "adtr/core/compiled.hpp"
#include "adtr/core/error.hpp"
#include "adtr/io/atomic_file.hpp"
#include "adtr/io/json_text.hpp"
#include "adtr/weights/safetensors_header.hpp"
#include "adtr/weights/safetensors_writer.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// Checks the conditions under which a reader accepts the file.
inline void check_writable(const std::string& path, const std::vector<const SafetensorsTensor*>& tensors) {
  std::vector<std::string_view> names;
  for (const SafetensorsTensor* t : tensors) {
    const std::string what = "cannot be written: tensor " + quoted_for_message(t->name);
    if (t->name == "__metadata__") throw weights_error(path, what + " has the name that is reserved for the metadata");
    if (find_invalid_utf8(t->name) != std::string_view::npos)
      throw weights_error(path, "cannot be written: the name of a tensor is not UTF-8");
    if (tensor_bytes(t->dtype, t->shape) != t->bytes.size())
      throw weights_error(path, what + " of shape " + shape_text(t->shape) + " does not have the size of its " +
                                    std::to_string(t->bytes.size()) + " bytes");
    names.push_back(t->name);
  }
  std::sort(names.begin(), names.end());
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
    throw weights_error(path, "cannot be written: two tensors have the name " + quoted_for_message(*twice));
}

inline std::string metadata_text(const std::string& path, const std::map<std::string, std::string>& metadata) {
  std::string text;
  for (const auto& [key, value] : metadata) {
    if (find_invalid_utf8(key) != std::string_view::npos || find_invalid_utf8(value) != std::string_view::npos)
      throw weights_error(path, "cannot be written: a text of the metadata is not UTF-8");
    text += (text.empty() ? "" : ",") + json_quoted(key) + ":" + json_quoted(value);
  }
  return "\"__metadata__\":{" + text + "}";
}

}  // namespace detail

ADTR_FUNCTION std::string safetensors_preamble(const std::string& path,
                                               const std::vector<const SafetensorsTensor*>& tensors,
                                               const std::map<std::string, std::string>& metadata) {
  std::string header = "{";
  if (!metadata.empty()) header += detail::metadata_text(path, metadata);
  std::size_t offset = 0;
  for (const SafetensorsTensor* t : tensors) {
    if (header.size() > 1) header += ',';
    header += json_quoted(t->name) + ":{\"dtype\":\"" + std::string(dtype_name(t->dtype)) + "\",\"shape\":[";
    for (std::size_t i = 0; i < t->shape.size(); ++i) header += (i == 0 ? "" : ",") + std::to_string(t->shape[i]);
    header += "],\"data_offsets\":[" + std::to_string(offset);
    offset += t->bytes.size();
    header += "," + std::to_string(offset) + "]}";
  }
  header += '}';
  header.resize(round_up(header.size(), std::size_t{8}), ' ');
  if (header.size() > safetensors_header_limit)
    throw weights_error(path, "cannot be written: its header would have " + std::to_string(header.size()) +
                                  " bytes, the limit is " + std::to_string(safetensors_header_limit));
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + header;
}

ADTR_FUNCTION void write_safetensors(const std::string& path, std::span<const SafetensorsTensor> tensors,
                                     const std::map<std::string, std::string>& metadata) {
  std::vector<const SafetensorsTensor*> order;
  order.reserve(tensors.size());
  for (const SafetensorsTensor& t : tensors) order.push_back(&t);
  detail::check_writable(path, order);
  std::sort(order.begin(), order.end(), [](const SafetensorsTensor* a, const SafetensorsTensor* b) {
    return a->dtype != b->dtype ? a->dtype > b->dtype : a->name < b->name;
  });
  const std::string preamble = safetensors_preamble(path, order, metadata);
  AtomicFile file(path);
  file.write(preamble);
  for (const SafetensorsTensor* t : order) file.write(t->bytes);
  file.commit();
}

}  // namespace ADTR_ABI
}  // namespace adtr

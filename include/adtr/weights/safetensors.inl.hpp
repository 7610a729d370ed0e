/// The functions of SafetensorsFile; see core/compiled.hpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adtr/core/compiled.hpp"
#include "adtr/core/error.hpp"
#include "adtr/weights/safetensors.hpp"

namespace adtr {
inline namespace ADTR_ABI {

ADTR_FUNCTION SafetensorsFile SafetensorsFile::open(const std::string& path) {
  return SafetensorsFile(path, MappedFile(path));
}

ADTR_FUNCTION SafetensorsFile SafetensorsFile::in_memory(std::span<const std::byte> bytes, const std::string& name) {
  return SafetensorsFile(name, MappedFile::view(bytes));
}

ADTR_FUNCTION std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> out;
  out.reserve(tensors().size());
  for (const SafetensorsTensor& t : tensors()) out.push_back(t.name);
  return out;
}

ADTR_FUNCTION const SafetensorsTensor* SafetensorsFile::find(std::string_view name) const {
  const auto it = index_.find(name);
  return it == index_.end() ? nullptr : &header_.tensors[it->second];
}

ADTR_FUNCTION const SafetensorsTensor& SafetensorsFile::at(std::string_view name) const {
  const SafetensorsTensor* tensor = find(name);
  if (tensor == nullptr) throw weights_error(path_, "has no tensor " + quoted_for_message(name));
  return *tensor;
}

ADTR_FUNCTION SafetensorsFile::SafetensorsFile(const std::string& path, MappedFile file)
    : path_(path), file_(std::move(file)), header_(parse_safetensors(file_.bytes(), path)) {
  for (std::size_t i = 0; i < header_.tensors.size(); ++i) index_.emplace(header_.tensors[i].name, i);
}

}  // namespace ADTR_ABI
}  // namespace adtr

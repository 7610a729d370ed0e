/// The functions of prefixes.hpp; see core/compiled.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "adtr/core/compiled.hpp"
#include "adtr/weights/prefixes.hpp"

namespace adtr {
inline namespace ADTR_ABI {

ADTR_FUNCTION bool is_average_prefix(std::string_view prefix) {
  constexpr std::array<std::string_view, 4> words{"ema", "swa", "shadow", "averaged"};
  while (!prefix.empty()) {
    const std::size_t end = prefix.find_first_of("._");
    if (std::find(words.begin(), words.end(), prefix.substr(0, end)) != words.end()) return true;
    prefix.remove_prefix(end == std::string_view::npos ? prefix.size() : end + 1);
  }
  return false;
}

ADTR_FUNCTION std::vector<std::string> backbone_prefixes(const SafetensorsFile& file) {
  constexpr std::array<std::string_view, 4> first{"conv_stem.weight", "_conv_stem.weight", "features.0.0.weight",
                                                  "conv1.weight"};
  std::vector<std::string> prefixes;
  for (const SafetensorsTensor& tensor : file.tensors())
    for (const std::string_view name : first) {
      if (!tensor.name.ends_with(name)) continue;
      const std::string prefix = tensor.name.substr(0, tensor.name.size() - name.size());
      if (!prefix.empty() && prefix.back() != '.') continue;
      // The blocks of a ResNet have a conv1 too, but no layer1.
      if (name == "conv1.weight" && !prefix.empty() && !file.contains(prefix + "layer1.0.conv1.weight")) continue;
      prefixes.push_back(prefix);
    }
  std::sort(prefixes.begin(), prefixes.end());
  prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
  return prefixes;
}

ADTR_FUNCTION std::string backbone_prefix(const SafetensorsFile& file) {
  const std::vector<std::string> prefixes = backbone_prefixes(file);
  if (prefixes.empty()) return "";
  if (prefixes.size() == 1) return prefixes.front();
  const auto quoted = [](const std::string& prefix) {
    return prefix.empty() ? std::string("without a prefix") : "with the prefix " + quoted_for_message(prefix);
  };
  const auto average = std::find_if(prefixes.begin(), prefixes.end(), is_average_prefix);
  const auto plain = std::find_if_not(prefixes.begin(), prefixes.end(), is_average_prefix);
  if (prefixes.size() == 2 && average != prefixes.end() && plain != prefixes.end())
    throw weights_error(file.path(), "holds plain weights (" + quoted(*plain) + ") and their averages, EMA (" +
                                         quoted(*average) +
                                         "); choose one with tools/convert_weights --no-ema or --ema");
  throw weights_error(file.path(), "holds " + std::to_string(prefixes.size()) + " backbones, one " +
                                       quoted(prefixes[0]) + " and one " + quoted(prefixes[1]) +
                                       "; choose one with tools/convert_weights --prefix");
}

}  // namespace ADTR_ABI
}  // namespace adtr

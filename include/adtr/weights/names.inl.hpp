/// The functions of names.hpp; see core/compiled.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "adtr/core/compiled.hpp"
#include "adtr/core/error.hpp"
#include "adtr/weights/names.hpp"

namespace adtr {
inline namespace ADTR_ABI {

ADTR_FUNCTION Convention detect_convention(const SafetensorsFile& file, const std::string& prefix) {
  const auto found = convention_of([&](std::string_view name) { return file.contains(prefix + std::string(name)); });
  if (found) return *found;
  const std::string first =
      file.tensors().empty() ? "no tensor at all" : "tensors such as " + quoted_for_message(file.tensors()[0].name);
  throw weights_error(file.path(),
                      "not the weights of a backbone: expected conv_stem.weight or conv1.weight (timm), "
                      "features.0.0.weight (torchvision) or _conv_stem.weight (lukemelas), found " +
                          first);
}

namespace detail {

/// The three names of one layer inside a block; `torchvision` follows "block." and counts squeeze-and-excitation.
struct LayerNames {
  std::string_view timm;
  std::string_view torchvision;
  std::string_view lukemelas;
};

/// The first stage has the expansion ratio 1, so its blocks have no expansion.
inline constexpr std::array<LayerNames, 6> separable_block{{
    {"conv_dw", "0.0", "_depthwise_conv"},
    {"bn1", "0.1", "_bn1"},
    {"se.conv_reduce", "1.fc1", "_se_reduce"},
    {"se.conv_expand", "1.fc2", "_se_expand"},
    {"conv_pw", "2.0", "_project_conv"},
    {"bn2", "2.1", "_bn2"},
}};

inline constexpr std::array<LayerNames, 8> inverted_block{{
    {"conv_pw", "0.0", "_expand_conv"},
    {"bn1", "0.1", "_bn0"},
    {"conv_dw", "1.0", "_depthwise_conv"},
    {"bn2", "1.1", "_bn1"},
    {"se.conv_reduce", "2.fc1", "_se_reduce"},
    {"se.conv_expand", "2.fc2", "_se_expand"},
    {"conv_pwl", "3.0", "_project_conv"},
    {"bn3", "3.1", "_bn2"},
}};

/// Removes "123." from the front of `text` and returns the number; otherwise leaves `text` unchanged.
[[nodiscard]] inline std::optional<int> take_number(std::string_view& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto n = static_cast<std::size_t>(end - text.data());
  if (error != std::errc{} || value < 0 || n == text.size() || text[n] != '.') return std::nullopt;
  text.remove_prefix(n + 1);
  return value;
}

/// Without squeeze-and-excitation the index of torchvision's last layers is lower by one. torchvision itself has no
/// such EfficientNet, but some files follow its names.
[[nodiscard]] inline std::string torchvision_layer(const LayerNames& layer, bool separable, bool has_se) {
  std::string name(layer.torchvision);
  const bool after_se = name[0] == (separable ? '2' : '3');
  if (!has_se && after_se) --name[0];
  return name;
}

/// Translates the rest of a name after "blocks.", "S.M.layer.parameter", as a whole.
[[nodiscard]] inline std::optional<std::string> translate_block(std::string_view rest, Convention to,
                                                                std::span<const int> depths, bool has_se) {
  const std::optional<int> stage = take_number(rest);
  const std::optional<int> block = stage ? take_number(rest) : std::nullopt;
  if (!block || static_cast<std::size_t>(*stage) >= depths.size() || *block >= depths[static_cast<std::size_t>(*stage)])
    return std::nullopt;
  const bool separable = *stage == 0;
  const std::span<const LayerNames> layers = separable ? std::span<const LayerNames>(separable_block) : inverted_block;
  const std::size_t dot = rest.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto layer = std::find_if(layers.begin(), layers.end(),
                                  [&](const LayerNames& names) { return names.timm == rest.substr(0, dot); });
  if (layer == layers.end()) return std::nullopt;
  const std::string parameter(rest.substr(dot));
  if (to == Convention::torchvision)
    return "features." + std::to_string(*stage + 1) + "." + std::to_string(*block) + ".block." +
           torchvision_layer(*layer, separable, has_se) + parameter;
  int flat = *block;
  for (const int depth : depths.first(static_cast<std::size_t>(*stage))) flat += depth;
  return "_blocks." + std::to_string(flat) + "." + std::string(layer->lukemelas) + parameter;
}

}  // namespace detail

ADTR_FUNCTION std::string translate(std::string_view name, Convention to, std::span<const int> depths, bool has_se) {
  if (to == Convention::timm) return std::string(name);
  const bool torchvision = to == Convention::torchvision;
  constexpr std::string_view stem = "conv_stem.";
  constexpr std::string_view norm = "bn1.";
  constexpr std::string_view blocks = "blocks.";
  if (name.starts_with(stem))
    return (torchvision ? "features.0.0." : "_conv_stem.") + std::string(name.substr(stem.size()));
  if (name.starts_with(norm)) return (torchvision ? "features.0.1." : "_bn0.") + std::string(name.substr(norm.size()));
  if (name.starts_with(blocks)) {
    auto translated = detail::translate_block(name.substr(blocks.size()), to, depths, has_se);
    if (translated) return std::move(*translated);
  }
  throw Error("an EfficientNet with the names of " + std::string(convention_name(to)) +
                  " has no tensor that timm calls " + quoted_for_message(name),
              ErrorCode::bad_weights);
}

namespace detail {

[[nodiscard]] inline std::span<const std::string_view> head_names(Convention convention) {
  static constexpr std::array<std::string_view, 5> timm{"conv_head.", "bn2.", "classifier.", "fc.", "layer4."};
  static constexpr std::array<std::string_view, 2> torchvision{"features.8.", "classifier."};
  static constexpr std::array<std::string_view, 3> lukemelas{"_conv_head.", "_bn1.", "_fc."};
  if (convention == Convention::torchvision) return torchvision;
  if (convention == Convention::lukemelas) return lukemelas;
  return timm;
}

}  // namespace detail

ADTR_FUNCTION bool is_known_surplus(std::string_view name, Convention convention) {
  if (name.ends_with(".num_batches_tracked")) return true;
  const std::span<const std::string_view> heads = detail::head_names(convention);
  return std::any_of(heads.begin(), heads.end(), [&](std::string_view head) { return name.starts_with(head); });
}

}  // namespace ADTR_ABI
}  // namespace adtr

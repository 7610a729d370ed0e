/// The functions of recognise.hpp; see core/compiled.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "adtr/core/compiled.hpp"
#include "adtr/weights/names.hpp"
#include "adtr/weights/recognise.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// Counts the distinct prefixes of names that begin with `begin` and end before dot number `dots` after it.
[[nodiscard]] inline std::size_t count_blocks(const SafetensorsFile& file, const std::string& begin, int dots) {
  std::set<std::string> blocks;
  for (const SafetensorsTensor& tensor : file.tensors()) {
    if (!tensor.name.starts_with(begin)) continue;
    std::size_t at = begin.size();
    for (int i = 0; i < dots && at != std::string::npos; ++i) at = tensor.name.find('.', at + (i > 0 ? 1 : 0));
    if (at != std::string::npos) blocks.insert(tensor.name.substr(0, at));
  }
  return blocks.size();
}

[[nodiscard]] inline bool any_name_has(const SafetensorsFile& file, std::string_view part) {
  return std::any_of(file.tensors().begin(), file.tensors().end(),
                     [&](const SafetensorsTensor& t) { return t.name.find(part) != std::string::npos; });
}

struct EfficientNetSize {
  bool squeezes;
  std::size_t blocks;
  std::size_t channels;  ///< output channels of the last block
  std::string_view variant;
};

inline constexpr std::array<EfficientNetSize, 13> efficientnet_sizes{{{true, 16, 320, "b0"},
                                                                      {true, 23, 320, "b1"},
                                                                      {true, 23, 352, "b2"},
                                                                      {true, 26, 384, "b3"},
                                                                      {true, 32, 448, "b4"},
                                                                      {true, 39, 512, "b5"},
                                                                      {true, 45, 576, "b6"},
                                                                      {true, 55, 640, "b7"},
                                                                      {false, 16, 320, "lite0"},
                                                                      {false, 21, 320, "lite1"},
                                                                      {false, 21, 352, "lite2"},
                                                                      {false, 24, 384, "lite3"},
                                                                      {false, 30, 448, "lite4"}}};

[[nodiscard]] inline std::optional<std::string> recognise_resnet(const SafetensorsFile& file,
                                                                 const std::string& prefix) {
  const std::size_t blocks = count_blocks(file, prefix + "layer", 2);
  if (file.contains(prefix + "layer1.0.conv3.weight")) {
    if (blocks == 16) return "resnet50";
    if (blocks == 33) return "resnet101";
    return blocks == 50 ? "resnet152" : "a ResNet with bottlenecks";
  }
  if (blocks == 8) return "resnet18";
  if (blocks == 16) return "resnet34";
  return std::nullopt;
}

}  // namespace detail

ADTR_FUNCTION std::optional<std::string> recognise_backbone(const SafetensorsFile& file, const std::string& prefix) {
  const auto has = [&](std::string_view name) { return file.contains(prefix + std::string(name)); };
  const std::optional<Convention> convention = convention_of(has);
  if (!convention) return std::nullopt;
  if (has("conv1.weight")) return detail::recognise_resnet(file, prefix);
  struct Names {
    const char *block, *head, *squeeze;
    int dots;
  };
  const Names names = *convention == Convention::timm ? Names{"blocks.", "conv_head.weight", ".se.", 2}
                      : *convention == Convention::torchvision
                          ? Names{"features.", "features.8.0.weight", ".fc1.", 2}
                          : Names{"_blocks.", "_conv_head.weight", "._se_reduce.", 1};
  const SafetensorsTensor* head = file.find(prefix + names.head);
  if (head == nullptr || head->shape.size() != 4) return std::nullopt;
  std::size_t blocks = detail::count_blocks(file, prefix + names.block, names.dots);
  // torchvision's features include the first and the last convolution, each with a batch norm: four layers.
  if (*convention == Convention::torchvision) blocks -= std::min<std::size_t>(blocks, 4);
  const bool squeezes = detail::any_name_has(file, names.squeeze);
  for (const detail::EfficientNetSize& size : detail::efficientnet_sizes)
    if (size.squeezes == squeezes && size.blocks == blocks && size.channels == head->shape[1])
      return "efficientnet_" + std::string(size.variant);
  return std::nullopt;
}

ADTR_FUNCTION std::string recognise_network(const SafetensorsFile& file, const std::string& prefix) {
  if (const auto backbone = recognise_backbone(file, prefix)) return *backbone;
  struct Family {
    std::string_view part, name;
  };
  static constexpr std::array<Family, 10> families{{{"relative_position_bias_table", "a Swin transformer"},
                                                    {"attn.qkv.weight", "a vision transformer (ViT)"},
                                                    {"patch_embeddings.", "a vision transformer (ViT)"},
                                                    {"encoder_layer_0.", "a vision transformer (ViT)"},
                                                    {"downsample_layers.", "a ConvNeXt"},
                                                    {"denseblock1.", "a DenseNet"},
                                                    {"Mixed_5b.", "an Inception network"},
                                                    {"embed_tokens.", "a language model"},
                                                    {"word_embeddings.", "a language model"},
                                                    {"features.18.0.weight", "a MobileNet"}}};
  for (const Family& family : families)
    if (detail::any_name_has(file, family.part)) return std::string(family.name);
  return "";
}

}  // namespace ADTR_ABI
}  // namespace adtr

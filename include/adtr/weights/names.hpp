/// The tensor names of the same backbone in timm, torchvision and lukemelas. adtr uses timm's names.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "adtr/core/error.hpp"
#include "adtr/weights/safetensors.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Whose names a file uses. ResNets have the same names in timm and torchvision and count as timm.
enum class Convention { timm, torchvision, lukemelas };

[[nodiscard]] constexpr std::string_view convention_name(Convention c) {
  constexpr std::array<std::string_view, 3> names{"timm", "torchvision", "lukemelas"};
  return names[static_cast<std::size_t>(c)];
}

/// Detects the naming convention of a backbone's weights by the name of the first convolution. `has(name)` says whether
/// such a tensor exists.
template <class Has>
[[nodiscard]] std::optional<Convention> convention_of(Has&& has) {
  if (has("conv_stem.weight") || has("conv1.weight")) return Convention::timm;
  if (has("features.0.0.weight")) return Convention::torchvision;
  if (has("_conv_stem.weight")) return Convention::lukemelas;
  return std::nullopt;
}

/// As above, for a file whose names begin with `prefix`; throws Error if no name fits.
[[nodiscard]] Convention detect_convention(const SafetensorsFile& file, const std::string& prefix = "");

/// Returns the name in convention `to` of the tensor that timm calls `name` ("blocks.1.0.conv_pw.weight"), for an
/// EfficientNet with `depths` blocks in its stages. `has_se` says whether its blocks squeeze and excite (those of the
/// Lite models do not). If `to` is timm the name is returned unchanged, so a ResNet's name may be passed too. Throws
/// Error if such a network has no such tensor.
[[nodiscard]] std::string translate(std::string_view name, Convention to, std::span<const int> depths, bool has_se);

/// Whether a classifier's file may hold this tensor (under the file's own name) although the backbone does not need it:
/// the head after the last tap, and the batch counters of batch norm. Ask only about tensors that no layer has taken: a
/// ResNet whose fourth layer is a tap takes layer4 itself.
[[nodiscard]] bool is_known_surplus(std::string_view name, Convention convention);

}  // namespace ADTR_ABI
}  // namespace adtr

#if !defined(ADTR_EXTERN_KERNELS)
#include "adtr/weights/names.inl.hpp"
#endif

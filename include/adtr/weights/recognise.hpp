/// Recognises the network of a file's tensors by their names and shapes: for messages, and to contradict a wrong claim.
#pragma once

#include <optional>
#include <string>

#include "adtr/weights/safetensors.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Returns the architecture ("efficientnet_b0", "resnet50") of the backbone whose names begin with `prefix`, if names
/// and shapes identify it; an EfficientNet is identified only with its last convolution.
[[nodiscard]] std::optional<std::string> recognise_backbone(const SafetensorsFile& file, const std::string& prefix);

/// As above in words, also for well-known networks that adtr does not offer as backbones.
[[nodiscard]] std::string recognise_network(const SafetensorsFile& file, const std::string& prefix);

}  // namespace ADTR_ABI
}  // namespace adtr

#if !defined(ADTR_EXTERN_KERNELS)
#include "adtr/weights/recognise.inl.hpp"
#endif

/// Prefixes that trainers put before a backbone's names: module. (DataParallel), _orig_mod. (compile), model.,
/// backbone., ema.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adtr/weights/safetensors.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Whether a prefix says that its weights are averages over the training (EMA), such as "model_ema.module.".
[[nodiscard]] bool is_average_prefix(std::string_view prefix);

/// Returns the prefixes, possibly "", under which the file has the first convolution of a backbone; sorted.
[[nodiscard]] std::vector<std::string> backbone_prefixes(const SafetensorsFile& file);

/// Returns the prefix of the backbone's names in a file; "" if there is no prefix or no backbone. Throws Error
/// (bad_weights) if the file has several backbones, such as plain weights and their averages: the user must choose one.
[[nodiscard]] std::string backbone_prefix(const SafetensorsFile& file);

}  // namespace ADTR_ABI
}  // namespace adtr

#if !defined(ADTR_EXTERN_KERNELS)
#include "adtr/weights/prefixes.inl.hpp"
#endif

/// Cpu: dropout as kernels take it.
#pragma once

#include "adtr/backend/cpu/kernel_table.hpp"
#include "adtr/core/philox.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cpu {

[[nodiscard]] inline DropoutStream dropout_stream(const Dropout& dropout) {
  if (!dropout.active()) return {};
  const auto scale = static_cast<float>(1.0 / (1.0 - static_cast<double>(dropout.rate)));
  return {dropout.seed, dropout.site, dropout.step, dropout.threshold(), scale};
}

}  // namespace cpu
}  // namespace ADTR_ABI
}  // namespace adtr

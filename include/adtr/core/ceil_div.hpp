/// Division that rounds up, for counting blocks.
#pragma once

#include <cstddef>

#include "adtr/core/extents.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// ⌈a / b⌉ for a ≥ 0 and b > 0: how many blocks of b hold a items.
[[nodiscard]] constexpr Index ceil_div(Index a, Index b) { return (a + b - 1) / b; }
[[nodiscard]] constexpr std::size_t ceil_div(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

/// The smallest multiple of `step` that is not below n.
[[nodiscard]] constexpr Index round_up(Index n, Index step) { return ceil_div(n, step) * step; }
[[nodiscard]] constexpr std::size_t round_up(std::size_t n, std::size_t step) { return ceil_div(n, step) * step; }

}  // namespace ADTR_ABI
}  // namespace adtr

/// Cpu: loops over rows, and sums in parts, on the threads of a Context.
#pragma once

#include <algorithm>
#include <array>

#include "adtr/backend/cpu/context.hpp"
#include "adtr/core/ceil_div.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cpu {

/// Calls fn(row) for every row; a row costs `cost` element operations.
template <class F>
void for_rows(const Context& context, Index rows, Index cost, F&& fn) {
  context.for_ranges(rows, 1, static_cast<double>(cost), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) fn(r);
  });
}

/// Σ fn(begin, end) over parts of [0, count). The parts and their order do not depend on the number of threads.
template <class F>
[[nodiscard]] double sum_of_parts(const Context& context, Index count, F&& fn) {
  std::array<double, 128> sums{};
  const auto parts = static_cast<Index>(sums.size());
  const Index length = ceil_div(count, parts);
  context.for_each((std::min)(count, parts), [&](Index i) {
    const Index begin = (std::min)(count, i * length), end = (std::min)(count, begin + length);
    sums[static_cast<std::size_t>(i)] = fn(begin, end);
  });
  double sum = 0.0;
  for (const double part : sums) sum += part;
  return sum;
}

}  // namespace cpu
}  // namespace ADTR_ABI
}  // namespace adtr

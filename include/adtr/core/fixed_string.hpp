/// A string as a template argument: the name of a layer in weight files.
#pragma once

#include <algorithm>
#include <cstddef>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {

template <std::size_t N>
struct FixedString {
  char text[N]{};
  constexpr FixedString(const char (&s)[N]) { std::copy_n(s, N, text); }  // NOLINT: implicit, so that a literal will do
};

}  // namespace ADTR_ABI
}  // namespace adtr

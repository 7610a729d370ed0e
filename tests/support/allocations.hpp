/// How often a test program has called operator new, in any form, or asked the kernel for pages.
#pragma once

#include <cstddef>

namespace support {
[[nodiscard]] std::size_t allocations();
/// How many bytes these calls asked for, whether or not they have been given back.
[[nodiscard]] std::size_t allocated_bytes();
}  // namespace support

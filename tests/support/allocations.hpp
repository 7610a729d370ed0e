/// The number of times that the program called operator new, in any form, or requested pages from the kernel.
#pragma once

#include <cstddef>

namespace support {
[[nodiscard]] std::size_t allocations();
/// The number of bytes that these calls requested, including memory that was freed later.
[[nodiscard]] std::size_t allocated_bytes();
}  // namespace support

/// How often a test program has called operator new, in any form, or asked the kernel for pages.
#pragma once

#include <cstddef>

namespace support {
[[nodiscard]] std::size_t allocations();
}

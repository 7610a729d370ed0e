/// How often a test program has called operator new, in any form.
#pragma once

#include <cstddef>

namespace support {
[[nodiscard]] std::size_t allocations();
}

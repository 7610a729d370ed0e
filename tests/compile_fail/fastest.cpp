// flags: -Ofast
// first: adtr needs IEEE arithmetic .*without -ffast-math and -Ofast
// expect: IEEE arithmetic
// most: 3
#include "adtr/core/extents.hpp"

static_assert(adtr::Extents<1, 1, 1>::size == 1);

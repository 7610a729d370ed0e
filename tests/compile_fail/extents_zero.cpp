// expect: Extents are positive
#include "adtr/core/extents.hpp"

#ifdef ADTR_COMPILE_FAIL_CONTROL
constexpr int channels = 1;
#else
constexpr int channels = 0;
#endif

static_assert(adtr::Extents<16, 16, channels>::height == 16);

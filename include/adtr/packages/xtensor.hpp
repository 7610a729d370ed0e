/// xtensor, of a version that adtr works with, whatever macros <complex.h> or <windows.h> has defined before.
#pragma once

#pragma push_macro("I")
#pragma push_macro("min")
#pragma push_macro("max")
#pragma push_macro("small")
#undef I
#undef min
#undef max
#undef small

// xtensor 0.26 moved its headers and needs xtl 0.8; before, it needed xtl 0.7. The includes that do not exist end the
// compilation: what follows would be errors about the same thing.
#if __has_include(<xtensor/containers/xtensor.hpp>)
#define ADTR_XTENSOR_MOVED 1
#elif __has_include(<xtensor/xtensor.hpp>)
#define ADTR_XTENSOR_MOVED 0
#else
#error "adtr needs xtensor 0.24 to 0.27; the compiler finds none in its include folders"
#include <xtensor_0.24_to_0.27>
#endif
#if !__has_include(<xtl/xtl_config.hpp>)
#error "adtr needs xtl, which xtensor is built on; the compiler finds none in its include folders"
#include <xtl>
#else

#if ADTR_XTENSOR_MOVED
#include <xtensor/core/xtensor_config.hpp>
#else
#include <xtensor/xtensor_config.hpp>
#endif
#include <xtl/xtl_config.hpp>

#if XTENSOR_VERSION_MAJOR != 0 || XTENSOR_VERSION_MINOR < 24 || XTENSOR_VERSION_MINOR > 27
#error "adtr needs xtensor 0.24 to 0.27; the one found is another, see XTENSOR_VERSION_MINOR in xtensor_config.hpp"
#include <xtensor_0.24_to_0.27>
#elif XTENSOR_VERSION_MINOR >= 26 && (XTL_VERSION_MAJOR != 0 || XTL_VERSION_MINOR != 8)
#error "xtensor 0.26 and 0.27 need xtl 0.8; the one found is another, see XTL_VERSION_MINOR in xtl_config.hpp"
#include <xtl_0.8>
#elif XTENSOR_VERSION_MINOR < 26 && (XTL_VERSION_MAJOR != 0 || XTL_VERSION_MINOR != 7)
#error "xtensor 0.24 and 0.25 need xtl 0.7; the one found is another, see XTL_VERSION_MINOR in xtl_config.hpp"
#include <xtl_0.7>
#elif ADTR_XTENSOR_MOVED
#include <xtensor/containers/xtensor.hpp>
#else
#include <xtensor/xtensor.hpp>
#endif

#endif

#undef ADTR_XTENSOR_MOVED

#pragma pop_macro("small")
#pragma pop_macro("max")
#pragma pop_macro("min")
#pragma pop_macro("I")

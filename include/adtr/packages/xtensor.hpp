/// xtensor, of a version that adtr works with, whatever macros <complex.h> has defined before.
#pragma once

#pragma push_macro("I")
#undef I

// The includes that do not exist end the compilation: what follows would be errors about the same thing.
#if __has_include(<xtensor/containers/xtensor.hpp>)
#error "adtr needs xtensor 0.24 or 0.25; the one found is 0.26 or later, which moved its headers"
#include <xtensor_0.24_or_0.25>
#elif !__has_include(<xtensor/xtensor.hpp>)
#error "adtr needs xtensor 0.24 or 0.25; the compiler finds none in its include folders"
#include <xtensor_0.24_or_0.25>
#elif !__has_include(<xtl/xtl_config.hpp>)
#error "adtr needs xtl 0.7, which xtensor is built on; the compiler finds none in its include folders"
#include <xtl_0.7>
#else

#include <xtensor/xtensor_config.hpp>
#include <xtl/xtl_config.hpp>

#if XTENSOR_VERSION_MAJOR != 0 || XTENSOR_VERSION_MINOR < 24 || XTENSOR_VERSION_MINOR > 25
#error "adtr needs xtensor 0.24 or 0.25; the one found is another, see XTENSOR_VERSION_MINOR in xtensor_config.hpp"
#include <xtensor_0.24_or_0.25>
#elif XTL_VERSION_MAJOR != 0 || XTL_VERSION_MINOR != 7
#error "adtr needs xtl 0.7; the one found is another, see XTL_VERSION_MINOR in xtl_config.hpp"
#include <xtl_0.7>
#endif

#include <xtensor/xtensor.hpp>

#endif

#pragma pop_macro("I")

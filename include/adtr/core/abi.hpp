/// The inline namespace that everything in adtr lives in, named after the flags a translation unit is built with.
///
/// Two units of one program may be built with different -m flags. Were an inline function the same symbol in both, the
/// linker would keep either copy, perhaps the one that the processor at hand cannot run. With the flags in the
/// namespace each unit keeps its own copy, and an adtr type passed from one to the other fails to link, not to run.
#pragma once

#define ADTR_VERSION_MAJOR 0
#define ADTR_VERSION_MINOR 1
#define ADTR_VERSION_PATCH 0

// Each of -ffast-math's parts is enough to do harm. (Clang has no macro for the last two.)
#if defined(__FAST_MATH__)
#error "adtr needs IEEE arithmetic (NaN checks, bit-identical scores): build without -ffast-math and -Ofast"
#elif defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ > 0
#error "adtr needs IEEE arithmetic (NaN checks, bit-identical scores): build without -ffinite-math-only"
#elif defined(__ASSOCIATIVE_MATH__)
#error "adtr needs IEEE arithmetic (NaN checks, bit-identical scores): build without -fassociative-math"
#elif defined(__RECIPROCAL_MATH__)
#error "adtr needs IEEE arithmetic (NaN checks, bit-identical scores): build without -freciprocal-math"
#endif

#if defined(__AVX512F__)
#define ADTR_ABI v0_avx512
#elif defined(__AVX2__)
#define ADTR_ABI v0_avx2
#elif defined(__AVX__)
#define ADTR_ABI v0_avx
#else
#define ADTR_ABI v0_baseline
#endif

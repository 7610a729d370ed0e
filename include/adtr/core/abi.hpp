/// The inline namespace that everything in adtr lives in. Its name holds the version and the instruction set that a
/// translation unit is compiled for.
///
/// Two units of one program may be compiled with different -m flags, and two plugins in one process may contain
/// different versions of adtr. If an inline function were the same symbol in both, the linker would keep one copy of
/// it: perhaps one that this processor cannot run, or one whose structures have another layout. With both in the
/// namespace, each unit keeps its own copy, and passing an adtr type from one to the other is a link error rather than
/// a crash. Patch releases of one minor version keep the layout of every public type.
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

#define ADTR_ABI_JOIN(major, minor, isa) v##major##_##minor##_##isa
#define ADTR_ABI_NAME(major, minor, isa) ADTR_ABI_JOIN(major, minor, isa)
#if defined(__AVX512F__)
#define ADTR_ABI ADTR_ABI_NAME(ADTR_VERSION_MAJOR, ADTR_VERSION_MINOR, avx512)
#elif defined(__AVX2__)
#define ADTR_ABI ADTR_ABI_NAME(ADTR_VERSION_MAJOR, ADTR_VERSION_MINOR, avx2)
#elif defined(__AVX__)
#define ADTR_ABI ADTR_ABI_NAME(ADTR_VERSION_MAJOR, ADTR_VERSION_MINOR, avx)
#else
#define ADTR_ABI ADTR_ABI_NAME(ADTR_VERSION_MAJOR, ADTR_VERSION_MINOR, baseline)
#endif

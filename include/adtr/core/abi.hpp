/// The inline namespace that everything in adtr lives in, named after the flags a translation unit is built with.
///
/// Two units of one program may be built with different -m flags. Were an inline function the same symbol in both, the
/// linker would keep either copy, perhaps the one that the processor at hand cannot run. With the flags in the
/// namespace each unit keeps its own copy, and an adtr type passed from one to the other fails to link, not to run.
#pragma once

#define ADTR_VERSION_MAJOR 0
#define ADTR_VERSION_MINOR 1
#define ADTR_VERSION_PATCH 0

#if defined(__FAST_MATH__)
#error "adtr needs IEEE arithmetic (NaN checks, bit-identical scores): build without -ffast-math"
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

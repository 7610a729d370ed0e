/// The Cpu backend's kernels, compiled once per instruction set, and the choice between them at run time.
///
/// The kernels' source is included once per instruction set inside a target region, so users build without -march and
/// still get the machine's best instruction set. Three rules keep this sound: a region instantiates no template from
/// outside (kernels use raw pointers, plain structs and each other); only plain structs and function pointers leave a
/// region; no standard header is included inside one.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>

#include "adtr/backend/cpu/kernel_table.hpp"

// A file that nvcc compiles, or one with ADTR_EXTERN_KERNELS, calls kernels compiled in another file of the program;
// see KernelTables.
#if !defined(__CUDACC__) && !defined(ADTR_EXTERN_KERNELS)

#if ADTR_CPU_X86
#include <immintrin.h>
#endif

// Names of the kernels' functions, which <windows.h> defines as macros.
#pragma push_macro("min")
#pragma push_macro("max")
#undef min
#undef max

#define ADTR_INLINE [[gnu::always_inline]] inline
#if defined(__clang__)
#define ADTR_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define ADTR_UNROLL _Pragma("GCC unroll 64")
#else
#define ADTR_UNROLL
#endif

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"  // for array sizes that are int template parameters
#endif

namespace adtr {
inline namespace ADTR_ABI {
namespace cpu::scalar {
inline constexpr Isa this_isa = Isa::scalar;
#include "adtr/backend/cpu/vector/scalar.inl.hpp"
//
#include "adtr/backend/cpu/vector/split.inl.hpp"
//
#include "adtr/backend/cpu/kernels/kernels.inl.hpp"
}  // namespace cpu::scalar
}  // namespace ADTR_ABI
}  // namespace adtr

#if ADTR_CPU_X86

// A region's flags are added to the unit's. If the unit itself is built for AVX-512, so are the intrinsics, and they
// cannot be inlined into functions without AVX-512. Such a program needs AVX-512 anyway, so its region keeps the flag.
#if defined(__AVX512F__)
#define ADTR_TARGET_AVX2 "avx2,fma"
#else
#define ADTR_TARGET_AVX2 "avx2,fma,no-avx512f"
#endif
#define ADTR_TARGET_AVX512 "avx2,fma,avx512f,avx512vl,avx512bw,avx512dq"
#define ADTR_PRAGMA(x) _Pragma(#x)
#if defined(__clang__)
#define ADTR_BEGIN_TARGET(isa) ADTR_PRAGMA(clang attribute push(__attribute__((target(isa))), apply_to = function))
#define ADTR_END_TARGET ADTR_PRAGMA(clang attribute pop)
#else
#define ADTR_BEGIN_TARGET(isa) ADTR_PRAGMA(GCC push_options) ADTR_PRAGMA(GCC target(isa))
#define ADTR_END_TARGET ADTR_PRAGMA(GCC pop_options)
#endif

ADTR_BEGIN_TARGET(ADTR_TARGET_AVX2)
namespace adtr {
inline namespace ADTR_ABI {
namespace cpu::avx2 {
inline constexpr Isa this_isa = Isa::avx2;
#include "adtr/backend/cpu/vector/avx2.inl.hpp"
//
#include "adtr/backend/cpu/vector/split.inl.hpp"
//
#include "adtr/backend/cpu/kernels/kernels.inl.hpp"
}  // namespace cpu::avx2
}  // namespace ADTR_ABI
}  // namespace adtr
ADTR_END_TARGET

ADTR_BEGIN_TARGET(ADTR_TARGET_AVX512)
namespace adtr {
inline namespace ADTR_ABI {
namespace cpu::avx512 {
inline constexpr Isa this_isa = Isa::avx512;
#include "adtr/backend/cpu/vector/avx512.inl.hpp"
//
#include "adtr/backend/cpu/kernels/kernels.inl.hpp"
}  // namespace cpu::avx512
}  // namespace ADTR_ABI
}  // namespace adtr
ADTR_END_TARGET

#undef ADTR_BEGIN_TARGET
#undef ADTR_END_TARGET
#undef ADTR_PRAGMA
#undef ADTR_TARGET_AVX2
#undef ADTR_TARGET_AVX512

#endif  // ADTR_CPU_X86

#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#undef ADTR_INLINE
#undef ADTR_UNROLL

#pragma pop_macro("max")
#pragma pop_macro("min")

#endif  // kernels are compiled here

namespace adtr {
inline namespace ADTR_ABI {
namespace cpu {

/// The kernel tables. This is a template with a dummy parameter so that a program of many units can compile the kernels
/// in one of them: that unit contains `template struct adtr::cpu::KernelTables<>;`, and all others are built with
/// ADTR_EXTERN_KERNELS (in CMake, all link adtr::kernels; core/compiled.hpp says what else the macro keeps out of a
/// unit). Otherwise every unit that uses the Cpu backend compiles them. Units compiled by nvcc, which cannot use g++'s
/// pragmas, always take them from another unit.
template <class = void>
struct KernelTables {
  [[nodiscard]] static const Kernels& of(Isa isa);
  [[nodiscard]] static const TrainingKernels& training_of(Isa isa);
};

#if !defined(__CUDACC__) && !defined(ADTR_EXTERN_KERNELS)

// Defined outside the class, because a compiler may instantiate an inline function in spite of `extern template`.
template <class Unused>
const Kernels& KernelTables<Unused>::of(Isa isa) {
#if ADTR_CPU_X86
  if (isa == Isa::avx512) return avx512::kernels;
  if (isa == Isa::avx2) return avx2::kernels;
#else
  static_cast<void>(isa);
#endif
  return scalar::kernels;
}

template <class Unused>
const TrainingKernels& KernelTables<Unused>::training_of(Isa isa) {
#if ADTR_CPU_X86
  if (isa == Isa::avx512) return avx512::training_kernels;
  if (isa == Isa::avx2) return avx2::training_kernels;
#else
  static_cast<void>(isa);
#endif
  return scalar::training_kernels;
}

#endif  // kernels are compiled here

#if defined(ADTR_EXTERN_KERNELS) && !defined(__CUDACC__)
extern template struct KernelTables<>;
#endif

[[nodiscard]] inline const Kernels& kernels_of(Isa isa) { return KernelTables<>::of(isa); }

/// The initial choice: ADTR_FORCE_ISA if it is set, otherwise the machine's best.
[[nodiscard]] inline const Kernels& initial_kernels() {
  const char* forced = std::getenv("ADTR_FORCE_ISA");
  return kernels_of(forced != nullptr && *forced != '\0' ? isa_from_name(forced, "ADTR_FORCE_ISA") : best_isa());
}

inline std::atomic<const Kernels*>& current_kernels() {
  static std::atomic<const Kernels*> current{&initial_kernels()};
  return current;
}

[[nodiscard]] inline const Kernels& kernels() { return *current_kernels().load(std::memory_order_relaxed); }
[[nodiscard]] inline const TrainingKernels& training_kernels() { return KernelTables<>::training_of(kernels().isa); }

}  // namespace cpu
}  // namespace ADTR_ABI
}  // namespace adtr

namespace adtr {
inline namespace ADTR_ABI {

/// The instruction set that the Cpu backend currently uses. Throws Error if ADTR_FORCE_ISA is not the name of one, or
/// names one that this machine lacks.
[[nodiscard]] inline Isa current_isa() { return cpu::kernels().isa; }

/// For tests: makes the Cpu backend use this instruction set from now on. Throws Error if this machine lacks it. Packed
/// matrices stay valid. Do not call it while an operation runs.
inline void force_isa(Isa isa) {
  cpu::current_kernels().store(&cpu::kernels_of(isa_from_name(isa_name(isa), "force_isa")));
}

}  // namespace ADTR_ABI
}  // namespace adtr

/// Instruction sets of the Cpu backend's kernels: names, and what this machine supports.
#pragma once

#include <string>
#include <string_view>

#include "adtr/core/error.hpp"

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define ADTR_CPU_X86 1
#else
#define ADTR_CPU_X86 0
#endif

namespace adtr {
inline namespace ADTR_ABI {

/// An instruction set that kernels are built for. `scalar` processes one element at a time with the flags of the
/// translation unit; it is available on every machine.
enum class Isa : int { scalar, avx2, avx512 };

[[nodiscard]] constexpr const char* isa_name(Isa isa) {
  return isa == Isa::avx512 ? "avx512" : isa == Isa::avx2 ? "avx2" : "scalar";
}

/// Whether this machine and its operating system support the instruction set.
[[nodiscard]] inline bool isa_available(Isa isa) {
#if ADTR_CPU_X86
  __builtin_cpu_init();
  switch (isa) {
    case Isa::scalar:
      return true;
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
    case Isa::avx512:
      return isa_available(Isa::avx2) && __builtin_cpu_supports("avx512f") != 0 &&
             __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
             __builtin_cpu_supports("avx512dq") != 0;
  }
#endif
  return isa == Isa::scalar;
}

/// The widest instruction set of this machine.
[[nodiscard]] inline Isa best_isa() {
  return isa_available(Isa::avx512) ? Isa::avx512 : isa_available(Isa::avx2) ? Isa::avx2 : Isa::scalar;
}

/// The instruction set with this name. Throws Error if there is none, or if this machine lacks it. `option` tells the
/// user where the name came from.
[[nodiscard]] inline Isa isa_from_name(std::string_view name, const std::string& option) {
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
    if (name != isa_name(isa)) continue;
    if (isa_available(isa)) return isa;
    throw Error(
        option + " asks for " + isa_name(isa) + ", which this machine lacks; its best is " + isa_name(best_isa()) + ".",
        ErrorCode::option);
  }
  throw Error(option + " is '" + std::string(name) + "'; expected scalar, avx2 or avx512.", ErrorCode::option);
}

}  // namespace ADTR_ABI
}  // namespace adtr

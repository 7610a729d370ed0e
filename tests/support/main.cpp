/// The main of every test program, for Catch2 2 and 3.
#define CATCH_CONFIG_RUNNER
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "support/catch.hpp"

namespace {

/// What ctest takes for "skipped", see SKIP_RETURN_CODE. Catch2's own exit code is a count of failures, or 4 in some
/// versions when nothing ran: neither may be mistaken for it.
constexpr int skipped = 4;

bool machine_has(std::string_view isa) {
#if defined(__x86_64__)
  if (isa == "avx2") return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == "avx512") return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
#else
  if (isa == "avx2" || isa == "avx512") return false;
#endif
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const char* isa = std::getenv("ADTR_FORCE_ISA");
  if (isa != nullptr && !machine_has(isa)) {
    std::printf("skipped: this machine has no %s\n", isa);
    return skipped;
  }
  return Catch::Session().run(argc, argv) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

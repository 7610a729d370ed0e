/// The main function of every test program except those on a GPU.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "adtr/backend/cpu/isa.hpp"
#include "support/run.hpp"

/// The exit code that ctest counts as "skipped", see SKIP_RETURN_CODE.
constexpr int skipped = 4;

int main(int argc, char** argv) {
  const char* forced = std::getenv("ADTR_FORCE_ISA");
  for (const adtr::Isa isa : {adtr::Isa::avx2, adtr::Isa::avx512}) {
    if (forced != nullptr && std::string_view(forced) == adtr::isa_name(isa) && !adtr::isa_available(isa)) {
      std::printf("skipped: this machine has no %s\n", forced);
      return skipped;
    }
  }
  return run_tests(argc, argv);
}

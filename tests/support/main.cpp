/// The main of every test program, for Catch2 2 and 3.
#define CATCH_CONFIG_RUNNER
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "adtr/backend/cpu/isa.hpp"
#include "support/catch.hpp"

/// What ctest takes for "skipped", see SKIP_RETURN_CODE. Catch2's own exit code is a count of failures, or 4 in some
/// versions when nothing ran: neither may be mistaken for it.
constexpr int skipped = 4;

int main(int argc, char** argv) {
  const char* forced = std::getenv("ADTR_FORCE_ISA");
  for (const adtr::Isa isa : {adtr::Isa::avx2, adtr::Isa::avx512}) {
    if (forced != nullptr && std::string_view(forced) == adtr::isa_name(isa) && !adtr::isa_available(isa)) {
      std::printf("skipped: this machine has no %s\n", forced);
      return skipped;
    }
  }
  return Catch::Session().run(argc, argv) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

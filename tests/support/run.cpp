/// Catch2 2 and 3, in a unit of its own.
#define CATCH_CONFIG_RUNNER
#include "support/run.hpp"

#include <cstdlib>

#include "support/catch.hpp"

/// Catch2's own exit code is a count of failures, or 4 in some versions when nothing ran: neither may be mistaken for a
/// code that ctest takes for "skipped".
int run_tests(int argc, char** argv) { return Catch::Session().run(argc, argv) == 0 ? EXIT_SUCCESS : EXIT_FAILURE; }

/// Compiles Catch2 2 or 3 in a separate unit.
#define CATCH_CONFIG_RUNNER
#include "support/run.hpp"

#include <cstdlib>

#include "support/catch.hpp"

/// Catch2's own exit code is the number of failures, or in some versions 4 if no test ran. Neither may be mistaken for
/// the code that ctest counts as "skipped".
int run_tests(int argc, char** argv) { return Catch::Session().run(argc, argv) == 0 ? EXIT_SUCCESS : EXIT_FAILURE; }

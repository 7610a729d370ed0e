#pragma once

/// Runs the tests of the program, as its arguments say: EXIT_SUCCESS or EXIT_FAILURE.
[[nodiscard]] int run_tests(int argc, char** argv);

#pragma once

/// Runs the tests that the arguments select. Returns EXIT_SUCCESS or EXIT_FAILURE.
[[nodiscard]] int run_tests(int argc, char** argv);

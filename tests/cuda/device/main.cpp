/// The main function of the tests on a GPU: of single operations, whose operands lie in managed memory, or of networks.
#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "managed_memory.hpp"
#include "support/run.hpp"

namespace {

/// The exit code that ctest counts as "skipped", see SKIP_RETURN_CODE.
constexpr int skipped = 77;

int leave_out(const std::string& reason) {
  std::printf("%s: the suite was left out\n", reason.c_str());
  return skipped;
}

}  // namespace

int main(int argc, char** argv) {
#if defined(ADTR_TEST_MANAGED)
  // Makes launches synchronous, because tests read results directly after the call. CUDA reads this at its first call.
  setenv("CUDA_LAUNCH_BLOCKING", "1", 1);
#endif
  int gpus = 0;
  const cudaError_t code = cudaGetDeviceCount(&gpus);
  if (code == cudaErrorNoDevice || code == cudaErrorInsufficientDriver)  // the latter without any driver
    return leave_out(std::string("no GPU (") + cudaGetErrorName(code) + ")");
  if (code != cudaSuccess) {
    std::printf("cudaGetDeviceCount failed: %s, %s\n", cudaGetErrorName(code), cudaGetErrorString(code));
    return EXIT_FAILURE;
  }
#if defined(ADTR_TEST_MANAGED)
  if (const std::string reason = managed_memory::begin(); !reason.empty()) return leave_out(reason);
#endif
  std::string tests = ADTR_TESTS;
  std::vector<char*> arguments(argv, argv + argc);
  if (argc == 1) arguments.push_back(tests.data());
  const int status = run_tests(static_cast<int>(arguments.size()), arguments.data());
  std::cout.flush();
#if defined(ADTR_TEST_MANAGED)
  managed_memory::set_exit_status(status);
#endif
  return status;
}

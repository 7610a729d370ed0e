/// The emulator's memory is the host's or the GPU's: each that touches the other's is stopped.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <vector>

#include "adtr/backend/cuda.hpp"
#include "support/catch.hpp"

using adtr::CudaEmulator;
using adtr::cuda::emulator::Access;
using adtr::cuda::emulator::Fault;
using adtr::cuda::emulator::FaultKind;

TEST_CASE("A kernel that is given the host's memory is stopped") {
  std::vector<float> host(8);
  CudaEmulator::Memory device(8);
  try {
    CudaEmulator::accumulate(CudaEmulator::Context(1, Access::device), {host.data(), 1, 8}, {device.data(), 1, 8});
    FAIL("not stopped");
  } catch (const Fault& fault) {
    CHECK(fault.kind() == FaultKind::host_memory);
    CHECK_THAT(fault.what(),
               ContainsSubstring("kernel accumulate") && ContainsSubstring("is the host's, not the GPU's"));
  }
  CHECK_NOTHROW(CudaEmulator::accumulate(CudaEmulator::Context(1), {host.data(), 1, 8}, {device.data(), 1, 8}));
}

#ifndef ADTR_SANITIZED  // which make a report of the signal
TEST_CASE("The host that touches the device's memory ends") {
  const CudaEmulator::Memory device(8);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);
    const volatile float* const touched = device.data();
    _exit(touched[0] == 0.0F ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGSEGV);
}
#endif

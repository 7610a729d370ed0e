/// The emulator separates host memory from GPU memory, and checks the bounds of views.
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

TEST_CASE("A kernel that gets host memory is stopped") {
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

TEST_CASE("a view that is wider than its vector is caught in the kernel") {
  const CudaEmulator::Context context;
  std::vector<float> a(40), sums(8);
  // A matrix without columns after the last one: the kernel reads only its own column.
  CHECK_NOTHROW(CudaEmulator::accumulate_column_sums(context, {a.data(), 5, 8}, sums.data()));
  CHECK_THROWS_WITH(CudaEmulator::add_positions(context, {a.data(), 5, 8}, {sums.data(), 1, 7}, {a.data(), 5, 8}),
                    ContainsSubstring("kernel add_positions, block (0, 0, 0), thread 7") &&
                        ContainsSubstring("element (0, 7) of a matrix (1, 7)"));
}

#ifndef ADTR_SANITIZED  // the sanitizers report the signal as an error
TEST_CASE("A program whose host code touches GPU memory ends") {
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

TEST_CASE("running out of emulated GPU memory is an error that says how much was requested, and for what") {
  const adtr::MemoryFor purpose("a test");
  CHECK_THROWS_WITH(CudaEmulator::Memory(adtr::Index{1} << 31),
                    "out of memory: the system refused 8192.0 MiB for a test");
  CHECK_THROWS_WITH(CudaEmulator::Sums(-1), ContainsSubstring("-1 elements of 8 bytes"));
}

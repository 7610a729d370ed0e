/// Compares the backend Cuda on a GPU with the oracle; without a GPU, tests the error.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "adtr/backend/cuda.hpp"

using adtr::Cuda;
using adtr::Index;
using adtr::cuda::device::CudaError;
using adtr::cuda::device::DeviceBuffer;

namespace {

int failures = 0;

void expect(bool holds, const char* what) {
  if (holds) return;
  std::printf("failed: %s\n", what);
  ++failures;
}

/// Without a GPU a Context throws an error with the call and the source line.
int without_gpu() {
  try {
    const Cuda::Context context;
    expect(false, "a context without a GPU throws");
  } catch (const CudaError& e) {
    const std::string text = e.what();
    std::printf("%s\n", text.c_str());
    expect(text.starts_with("cudaStreamCreateWithFlags failed at memory.cuh:"), "the error names call and place");
    expect(text.find(cudaGetErrorName(e.cuda_code())) != std::string::npos, "the error has CUDA's name for it");
  }
  return failures;
}

/// c = a·wᵀ, its sums of 77 products within `bound`, and Σ a², against doubles.
void multiply(const Cuda::Context& context, double bound) {
  constexpr Index rows = 300, inputs = 77, outputs = 130;
  std::vector<float> a(rows * inputs), w(outputs * inputs), c(rows * outputs);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = std::sin(static_cast<float>(i));
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = std::cos(static_cast<float>(3 * i));
  DeviceBuffer<float> da(rows * inputs), dw(outputs * inputs), dc(rows * outputs);
  da.write(context.stream(), a);
  dw.write(context.stream(), w);
  Cuda::Packed packed;
  Cuda::pack(context, {dw.data(), outputs, inputs}, packed);
  Cuda::multiply(context, {da.data(), rows, inputs}, packed, {}, {dc.data(), rows, outputs});
  dc.read(context.stream(), c);
  adtr::Cuda::Sums sums(1);
  double squared_norm = 0.0;
  Cuda::squared_norm(context, da.data(), rows * inputs, sums.data());
  Cuda::download(context, sums.data(), 1, &squared_norm);
  Cuda::wait(context);
  double farthest = 0.0, squares = 0.0;
  for (std::size_t m = 0; m < rows; ++m)
    for (std::size_t n = 0; n < outputs; ++n) {
      double sum = 0.0;
      for (std::size_t k = 0; k < inputs; ++k)
        sum += static_cast<double>(a[m * inputs + k]) * static_cast<double>(w[n * inputs + k]);
      farthest = std::max(farthest, std::abs(sum - static_cast<double>(c[m * outputs + n])));
    }
  for (const float x : a) squares += static_cast<double>(x) * static_cast<double>(x);
  expect(farthest < bound, "multiply equals the oracle");
  expect(std::abs(squared_norm - squares) < 1e-6 * squares, "squared_norm equals the oracle");
}

/// A record of operations computes with the values at the time when it is run.
void record(const Cuda::Context& context) {
  Cuda::Staging in(4), out(4);
  Cuda::Memory x(4), y(4);
  Cuda::Recording recording;
  for (int run = 1; run <= 4; ++run) {
    for (int i = 0; i < 4; ++i) in.data()[i] = static_cast<float>(run);
    recording.run(context, 0, [&] {
      Cuda::upload(context, in.data(), 4, x.data());
      Cuda::accumulate(context, {x.data(), 1, 4}, {y.data(), 1, 4});
      Cuda::download(context, y.data(), 4, out.data());
    });
    Cuda::wait(context);
    expect(out.data()[3] == static_cast<float>(run * (run + 1) / 2), "a recorded row of operations runs");
  }
}

}  // namespace

int main() {
  int gpus = 0;
  const cudaError_t code = cudaGetDeviceCount(&gpus);
  if (code == cudaErrorNoDevice || code == cudaErrorInsufficientDriver) {  // the latter without any driver
    std::printf("no GPU (%s): what needs one was left out\n", cudaGetErrorName(code));
    return without_gpu() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
  }
  try {
    adtr::cuda::device::check(code, "cudaGetDeviceCount");
    using adtr::cuda::Precision;
    multiply(Cuda::Context(), 1e-4);
    // The largest of the sums is 0.63; the emulator is 4.2e-3 and 3.4e-2 off.
    multiply(Cuda::Context(0, Precision::tf32), 8e-3);
    multiply(Cuda::Context(0, Precision::bf16), 6e-2);
    record(Cuda::Context());
  } catch (const adtr::Error& e) {
    expect(false, e.what());
  }
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/// One program, two backends: this file, which g++ compiles, uses Cpu, and gpu.cu, for nvcc, uses Cuda.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "adtr/backend/cpu.hpp"
#include "encode.hpp"

std::vector<std::array<std::size_t, 2>> layouts_for_nvcc();
bool has_gpu();
std::vector<float> encode_on_gpu();

int main() {
  if (layouts_for_nvcc() != two_backends::layouts()) {
    std::printf("failed: g++ and nvcc disagree on the layout of a class\n");
    return EXIT_FAILURE;
  }
  const std::vector<float> expected = two_backends::encode<adtr::Cpu>(adtr::Cpu::Context(1));
  if (!std::all_of(expected.begin(), expected.end(), [](float x) { return std::isfinite(x); })) return EXIT_FAILURE;
  if (!has_gpu()) {
    std::printf("no GPU: the half on Cuda was left out\n");
    return EXIT_SUCCESS;
  }
  const std::vector<float> actual = encode_on_gpu();
  float largest = 0.0F, farthest = 0.0F;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    farthest = std::max(farthest, std::abs(actual[i] - expected[i]));
  }
  std::printf("Cuda differs from Cpu by %.1e of the largest\n", static_cast<double>(farthest / largest));
  return farthest < 1e-5F * largest ? EXIT_SUCCESS : EXIT_FAILURE;
}

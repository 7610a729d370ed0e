/// The half that nvcc compiles.
#include "adtr/backend/cuda.hpp"
#include "encode.hpp"

std::vector<std::array<std::size_t, 2>> layouts_for_nvcc() { return two_backends::layouts(); }

bool has_gpu() {
  int gpus = 0;
  return cudaGetDeviceCount(&gpus) == cudaSuccess && gpus > 0;
}

std::vector<float> encode_on_gpu() { return two_backends::encode<adtr::Cuda>(adtr::Cuda::Context()); }

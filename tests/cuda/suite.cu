/// The tests of all backends, of whole networks and of every operation, on a GPU. They are one file, so that
/// nvcc compiles each kernel once.
#include "backend/test_attention.cpp"
#include "backend/test_gemm.cpp"
#include "backend/test_maps.cpp"
#include "backend/test_nearest.cpp"
#include "backend/test_tokens.cpp"
#include "cuda/compile.cu"
#include "cuda/test_kernels.cpp"
#include "cuda/test_networks.cpp"
#include "cuda/test_train_model.cpp"

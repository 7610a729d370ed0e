# Sets up nvcc for adtr's own programs: the GPUs to compile for, and flags. No GPU is needed.
# The architectures from Turing to Hopper, and PTX, which newer GPUs compile when a program starts.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 90)
endif()
enable_language(CUDA)
if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_CUDA_FLAGS_RELEASE "-O2 -DNDEBUG")  # for the host; kernels are optimised by ptxas
endif()
find_package(CUDAToolkit REQUIRED)
if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12)
  message(FATAL_ERROR "ADTR_CUDA: expected nvcc 12 or later, which has C++20, found ${CMAKE_CUDA_COMPILER_VERSION}")
endif()

# CMake 3.25 does not know that nvcc has C++20. Functions of core, such as Dropout's, are constexpr without __device__:
# device code may call them. Eigen is used on the host only.
set(cuda "$<COMPILE_LANGUAGE:CUDA>")
target_compile_options(
  adtr_build_flags
  INTERFACE "$<${cuda}:-std=c++20;--expt-relaxed-constexpr;-Xcompiler=-Wall,-Wextra,-Wconversion,-Wsign-conversion,-Wshadow,-Wno-restrict>"
            $<$<AND:${cuda},$<BOOL:${ADTR_WERROR}>>:-Werror=all-warnings>)
target_compile_definitions(adtr_build_flags INTERFACE $<${cuda}:EIGEN_NO_CUDA>)

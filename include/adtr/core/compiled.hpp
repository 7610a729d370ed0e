/// ADTR_FUNCTION, for functions that adtr::kernels compiles once for all files of a program.
///
/// Some functions take long to compile and need no inlining: those that read images, weights files and control groups.
/// A header declares them, and the file `.inl.hpp` beside it defines them with ADTR_FUNCTION. Normally the header
/// includes that file, and the functions are inline. With ADTR_EXTERN_KERNELS, which linking to adtr::kernels defines,
/// it does not: then only cmake/functions.cpp, a part of adtr::kernels, includes the definitions. The members of two
/// class templates are defined in the same way, and instantiated there for float and double.
#pragma once

#if defined(ADTR_EXTERN_KERNELS)
#define ADTR_FUNCTION
#else
#define ADTR_FUNCTION inline
#endif

# Compiler flags of adtr's own tests, examples and benchmarks. Users of the library do not get them.
if(PROJECT_IS_TOP_LEVEL)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
  endif()
  set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")  # what users build with; -O3 takes longer and gains nothing here
  set(CMAKE_CXX_EXTENSIONS OFF)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
endif()

add_library(adtr_build_flags INTERFACE)
set(ADTR_WARNINGS -Werror=switch -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow)
set(cxx "$<COMPILE_LANGUAGE:CXX>")
target_compile_options(adtr_build_flags INTERFACE "$<${cxx}:${ADTR_WARNINGS}>"
                                                  $<$<AND:${cxx},$<BOOL:${ADTR_WERROR}>>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(adtr_build_flags INTERFACE $<${cxx}:-Wno-restrict>)  # "text" + std::string: GCC bug 105651
endif()
if(ADTR_SANITIZE)
  # With sanitizers, g++ 12 warns about uninitialised members in the standard library's regex.
  target_compile_options(adtr_build_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_compile_options(adtr_build_flags INTERFACE -fsanitize=${ADTR_SANITIZE} -fno-sanitize-recover=all
                                                    -fno-omit-frame-pointer)
  if(ADTR_SANITIZE MATCHES "address")
    # The address sanitizer finds an access to such memory, too. These checks take an eighth of the build's time.
    target_compile_options(adtr_build_flags INTERFACE -fno-sanitize=null,object-size,vptr)
  endif()
  target_link_options(adtr_build_flags INTERFACE -fsanitize=${ADTR_SANITIZE})
endif()

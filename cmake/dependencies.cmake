# Every package that adtr uses is found on the system, or fetched. Tests, examples and benchmarks call the functions
# for theirs, so that a user of the library is not asked for them.
include(FetchContent)

# GLOBAL: a package found here must also be seen by a project that adds adtr as a subdirectory.
find_package(Threads REQUIRED GLOBAL)

# A library that is headers only. When it is fetched, its own build is not run: `target` gets the folder `include`.
function(adtr_headers name target include url sha256)
  if(TARGET ${target})
    return()
  endif()
  FetchContent_Declare(${name} URL ${url} URL_HASH SHA256=${sha256} DOWNLOAD_EXTRACT_TIMESTAMP FALSE
                       SOURCE_SUBDIR not-built FIND_PACKAGE_ARGS ${ARGN} QUIET GLOBAL)
  FetchContent_MakeAvailable(${name})
  if(NOT TARGET ${target})
    FetchContent_GetProperties(${name} SOURCE_DIR source)
    add_library(${target} INTERFACE IMPORTED GLOBAL)
    set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${source}/${include}")
  endif()
endfunction()

# A library that is built when it is fetched.
macro(adtr_library name url sha256)
  FetchContent_Declare(${name} URL ${url} URL_HASH SHA256=${sha256} DOWNLOAD_EXTRACT_TIMESTAMP FALSE
                       SYSTEM FIND_PACKAGE_ARGS QUIET GLOBAL)
  FetchContent_MakeAvailable(${name})
endmacro()

adtr_headers(Eigen3 Eigen3::Eigen .
             https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.gz
             8586084f71f9bde545ee7fa6d00288b264a2b7ac3607b974e54d13e7162c1c72)
adtr_headers(xtl xtl include
             https://github.com/xtensor-stack/xtl/archive/refs/tags/0.7.7.tar.gz
             44fb99fbf5e56af5c43619fc8c29aa58e5fad18f3ba6e7d9c55c111b62df1fbb
             0.7...<0.9)
adtr_headers(xtensor xtensor include
             https://github.com/xtensor-stack/xtensor/archive/refs/tags/0.24.7.tar.gz
             0fbbd524dde2199b731b6af99b16063780de6cf1d0d6cb1f3f4d4ceb318f3106
             0.24...<0.28)

# Sets `result` to the version that a header of `target` states, or to nothing if no header of it is found.
function(adtr_header_version result target macro)
  get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
  string(REGEX REPLACE "\\$<BUILD_INTERFACE:([^>]*)>" "\\1" folders "${folders}")
  set(version "")
  foreach(header IN LISTS ARGN)
    foreach(folder IN LISTS folders)
      if(version STREQUAL "" AND EXISTS "${folder}/${header}")
        file(STRINGS "${folder}/${header}" lines REGEX "#define ${macro}_VERSION_(MAJOR|MINOR|PATCH) ")
        string(REGEX MATCHALL "[0-9]+" version "${lines}")
        list(JOIN version "." version)
      endif()
    endforeach()
  endforeach()
  set(${result} "${version}" PARENT_SCOPE)
endfunction()

# Packages of different ages: without this, the compiler would say it, in the first file that includes xtensor.
adtr_header_version(adtr_xtl xtl XTL xtl/xtl_config.hpp)
adtr_header_version(adtr_xtensor xtensor XTENSOR xtensor/core/xtensor_config.hpp xtensor/xtensor_config.hpp)
if(adtr_xtl AND adtr_xtensor)
  set(adtr_xtl_wanted 0.7)
  if(adtr_xtensor VERSION_GREATER_EQUAL 0.26)
    set(adtr_xtl_wanted 0.8)
  endif()
  if(NOT adtr_xtl MATCHES "^${adtr_xtl_wanted}\\.")
    message(FATAL_ERROR "xtensor ${adtr_xtensor} needs xtl ${adtr_xtl_wanted}, but the xtl found is ${adtr_xtl}; adtr "
                        "works with xtensor 0.24 or 0.25 and xtl 0.7, and with xtensor 0.26 or 0.27 and xtl 0.8")
  endif()
endif()

adtr_headers(stb stb::stb .
             https://github.com/nothings/stb/archive/5c205738c191bcb0abc65c4febfa9bd25ff35234.tar.gz
             cfeab9f800961882d6d22ddf36e965523b33002f4f937de08321304c9ba72af3)

macro(adtr_find_cli11)
  adtr_headers(CLI11 CLI11::CLI11 include
               https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.4.2.tar.gz
               f2d893a65c3b1324c50d4e682c0cdc021dd0477ae2c048544f39eed6654b699a)
endmacro()

macro(adtr_find_nlohmann_json)
  adtr_headers(nlohmann_json nlohmann_json::nlohmann_json include
               https://github.com/nlohmann/json/releases/download/v3.11.3/json.tar.xz
               d6c65aca6b1ed68e7a182f4757257b107ae403032760ed6ef121c9d55e81757d)
endmacro()

macro(adtr_find_catch2)
  adtr_library(Catch2
               https://github.com/catchorg/Catch2/archive/refs/tags/v3.5.2.tar.gz
               269543a49eb76f40b3f93ff231d4c24c27a7e16c90e47d2e45bcc564de470c6e)
endmacro()

macro(adtr_find_benchmark)
  set(BENCHMARK_ENABLE_TESTING OFF)
  set(BENCHMARK_ENABLE_INSTALL OFF)
  adtr_library(benchmark
               https://github.com/google/benchmark/archive/refs/tags/v1.8.3.tar.gz
               6bc180a57d23d4d9515519f92b0c83d61b05b5bab188961f36ac7b06b0d9e9ce)
endmacro()

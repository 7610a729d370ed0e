# Programs and plugins on the compiled libraries.
add_executable(app "${CMAKE_CURRENT_LIST_DIR}/runtime.cpp")
target_link_libraries(app PRIVATE adtr::runtime)

# The library does not depend on its user's -m flags.
include(CheckCXXCompilerFlag)
check_cxx_compiler_flag(-mavx2 has_avx2)
if(has_avx2)
  add_executable(with_avx2 "${CMAKE_CURRENT_LIST_DIR}/runtime.cpp")
  target_compile_options(with_avx2 PRIVATE -mavx2)
  target_link_libraries(with_avx2 PRIVATE adtr::runtime)
endif()

# Position-independent, so that plugins may contain them.
foreach(part IN ITEMS runtime kernels)
  add_library(${part}_plugin MODULE "${CMAKE_CURRENT_LIST_DIR}/${part}.cpp")
  target_link_libraries(${part}_plugin PRIVATE adtr::${part})
  target_link_options(${part}_plugin PRIVATE -Wl,--no-undefined)
endforeach()

add_executable(kernels_app "${CMAKE_CURRENT_LIST_DIR}/kernels.cpp")
target_link_libraries(kernels_app PRIVATE adtr::kernels)
add_custom_command(TARGET kernels_app POST_BUILD COMMAND kernels_app)

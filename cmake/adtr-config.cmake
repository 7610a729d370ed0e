# find_package(adtr) gives adtr::adtr, all of the library; find_package(adtr COMPONENTS core) gives adtr::core alone,
# which needs threads and no other package.
include(CMakeFindDependencyMacro)

set(adtr_known_components core adtr)
foreach(component IN LISTS adtr_FIND_COMPONENTS)
  if(NOT component IN_LIST adtr_known_components)
    set(adtr_FOUND FALSE)
    set(adtr_NOT_FOUND_MESSAGE "adtr has no component '${component}'; it has core and adtr")
    return()
  endif()
endforeach()

find_dependency(Threads)
include("${CMAKE_CURRENT_LIST_DIR}/adtr_core_targets.cmake")
set(adtr_core_FOUND TRUE)

if(NOT adtr_FIND_COMPONENTS STREQUAL "core")
  find_dependency(Eigen3)
  find_dependency(xtl)
  find_dependency(xtensor)
  list(PREPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}")
  find_dependency(stb)
  list(POP_FRONT CMAKE_MODULE_PATH)
  include("${CMAKE_CURRENT_LIST_DIR}/adtr_targets.cmake")
  set(adtr_adtr_FOUND TRUE)
endif()

# find_package(adtr) gives adtr::adtr, which is all of the headers, adtr::core, and those of the compiled libraries
# adtr::kernels and adtr::runtime that are installed. find_package(adtr COMPONENTS ...) gives the components that are
# named, and core; all but `adtr` need threads and no other package.
@PACKAGE_INIT@
include(CMakeFindDependencyMacro)

set(adtr_known_components core adtr kernels runtime)
foreach(component IN LISTS adtr_FIND_COMPONENTS)
  if(NOT component IN_LIST adtr_known_components)
    set(adtr_FOUND FALSE)
    set(adtr_NOT_FOUND_MESSAGE "adtr has no component '${component}'; it has core, adtr, kernels and runtime")
    return()
  endif()
endforeach()

# Finds a package of a version from `from` to below `below`, or leaves this file with a message that says which versions
# do (`versions`) and which are there. A package whose own version file knows no ranges is looked at again.
macro(adtr_need package from below versions)
  find_package(${package} ${from}...<${below} QUIET)
  if(NOT ${package}_FOUND)  # version files that want one major version at both ends of a range
    find_package(${package} QUIET)
  endif()
  if(NOT ${package}_FOUND OR ${package}_VERSION VERSION_LESS "${from}"
     OR NOT ${package}_VERSION VERSION_LESS "${below}")
    set(adtr_found_versions ${${package}_VERSION} ${${package}_CONSIDERED_VERSIONS})
    list(REMOVE_DUPLICATES adtr_found_versions)
    list(JOIN adtr_found_versions ", " adtr_found_versions)
    if(adtr_found_versions STREQUAL "")
      set(adtr_found_versions "none; add its prefix to CMAKE_PREFIX_PATH")
    endif()
    set(adtr_FOUND FALSE)
    set(adtr_NOT_FOUND_MESSAGE "adtr needs ${package} ${versions}; found ${adtr_found_versions}")
    return()
  endif()
endmacro()

find_dependency(Threads)
include("${CMAKE_CURRENT_LIST_DIR}/adtr_core_targets.cmake")
set(adtr_core_FOUND TRUE)

foreach(component IN ITEMS kernels runtime)
  file(GLOB adtr_compiled_files "@PACKAGE_CMAKE_INSTALL_LIBDIR@/*adtr_${component}.*")
  if(adtr_compiled_files AND (NOT adtr_FIND_COMPONENTS OR component IN_LIST adtr_FIND_COMPONENTS))
    include("@PACKAGE_compiled_dir@/adtr_${component}_targets.cmake")
    set(adtr_${component}_FOUND TRUE)
  elseif(adtr_FIND_REQUIRED_${component})
    set(adtr_FOUND FALSE)
    set(adtr_NOT_FOUND_MESSAGE "adtr was installed without ${component}: build the target adtr_${component} before it")
    return()
  endif()
endforeach()

if(NOT adtr_FIND_COMPONENTS OR "adtr" IN_LIST adtr_FIND_COMPONENTS)
  adtr_need(Eigen3 3.4 6 "3.4 or later")
  adtr_need(xtl 0.7 0.9 "0.7 or 0.8")
  adtr_need(xtensor 0.24 0.28 "0.24 to 0.27")
  set(adtr_xtl_wanted 0.7)
  if(xtensor_VERSION VERSION_GREATER_EQUAL 0.26)
    set(adtr_xtl_wanted 0.8)
  endif()
  if(NOT xtl_VERSION MATCHES "^${adtr_xtl_wanted}(\\.|$)")
    set(adtr_FOUND FALSE)
    set(adtr_NOT_FOUND_MESSAGE
        "xtensor ${xtensor_VERSION} needs xtl ${adtr_xtl_wanted}; found xtl ${xtl_VERSION}")
    return()
  endif()
  list(PREPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}")
  find_dependency(stb)
  list(POP_FRONT CMAKE_MODULE_PATH)
  include("${CMAKE_CURRENT_LIST_DIR}/adtr_targets.cmake")
  set(adtr_adtr_FOUND TRUE)
endif()

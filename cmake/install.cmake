# `cmake --install` puts headers, targets and the package file into a prefix; find_package(adtr) then finds them.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/adtr")  # datadir: nothing in it depends on the machine
install(DIRECTORY include/adtr DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.hpp" PATTERN "*.cuh")
foreach(target IN ITEMS adtr_core adtr)
  install(TARGETS ${target} EXPORT ${target}_targets INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  install(EXPORT ${target}_targets NAMESPACE adtr:: FILE ${target}_targets.cmake DESTINATION "${package_dir}")
endforeach()

# A compiled library is installed if it was built before. Its targets depend on the machine, so they are installed below
# the folder of libraries.
set(compiled_dir "${CMAKE_INSTALL_LIBDIR}/cmake/adtr_compiled")
foreach(target IN ITEMS adtr_kernels adtr_runtime)
  install(TARGETS ${target} EXPORT ${target}_targets OPTIONAL LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
          ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
  install(EXPORT ${target}_targets NAMESPACE adtr:: FILE ${target}_targets.cmake DESTINATION "${compiled_dir}")
endforeach()

configure_package_config_file(cmake/adtr-config.cmake adtr-config.cmake INSTALL_DESTINATION "${package_dir}"
                              PATH_VARS CMAKE_INSTALL_LIBDIR compiled_dir)
write_basic_package_version_file(adtr-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/adtr-config.cmake" cmake/Findstb.cmake
              "${PROJECT_BINARY_DIR}/adtr-config-version.cmake" DESTINATION "${package_dir}")

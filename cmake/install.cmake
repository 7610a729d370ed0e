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

write_basic_package_version_file(adtr-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES cmake/adtr-config.cmake cmake/Findstb.cmake "${PROJECT_BINARY_DIR}/adtr-config-version.cmake"
        DESTINATION "${package_dir}")

# SPDX-License-Identifier: MIT

# The package: the files that `cmake --install` installs, and the ones that `find_package(flaky)` and pkg-config find.
# No installed file names a folder of the build or the prefix, so the prefix may be moved.

include(CMakePackageConfigHelpers)

get_property(libraries GLOBAL PROPERTY FLAKY_LIBRARIES)
get_property(dependencies GLOBAL PROPERTY FLAKY_DEPENDENCIES)
list(REMOVE_DUPLICATES dependencies)
list(JOIN dependencies "\n    " FLAKY_FIND_DEPENDENCIES)

# For projects that include this one and export targets that use ours.
export(TARGETS flaky_recorder flaky_recorder_core NAMESPACE flaky:: FILE ${PROJECT_BINARY_DIR}/flakyTargets.cmake)
if(libraries)
  export(TARGETS ${libraries} NAMESPACE flaky:: FILE ${PROJECT_BINARY_DIR}/flakyLibraries.cmake)
endif()

if(NOT FLAKY_INSTALL)
  return()
endif()

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/flaky)
set(made ${PROJECT_BINARY_DIR}/package)  # not usable from here: find_package needs all files in one folder
set(recorder_folder ${CMAKE_INSTALL_DATADIR}/flaky/recorder)
set(program_folder ${CMAKE_INSTALL_BINDIR})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/flakyConfig.cmake.in ${made}/flakyConfig.cmake
  INSTALL_DESTINATION ${package_folder} PATH_VARS recorder_folder program_folder NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${made}/flakyConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${made}/flakyConfig.cmake ${made}/flakyConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/cmake/flaky_discover_tests.cmake DESTINATION ${package_folder})

if(FLAKY_BUILD_PROGRAM)
  install(TARGETS flaky EXPORT flakyTargets)
  install(TARGETS ${libraries} EXPORT flakyLibraries FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/flaky)
  install(DIRECTORY ${FLAKY_PAGES}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR})
  install(FILES ${FLAKY_PAGES}/flaky.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME flaky)
  install(FILES ${FLAKY_PAGES}/flaky.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions RENAME _flaky)
  install(FILES ${FLAKY_PAGES}/flaky.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
  install(EXPORT flakyLibraries NAMESPACE flaky:: DESTINATION ${package_folder})
endif()
install(EXPORT flakyTargets NAMESPACE flaky:: DESTINATION ${package_folder})

# The recorder for Make and Meson. It is source, so its pkg-config file is the same for every architecture.
file(RELATIVE_PATH FLAKY_PREFIX_FROM_PC /prefix/${CMAKE_INSTALL_DATADIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" FLAKY_PREFIX_FROM_PC ${FLAKY_PREFIX_FROM_PC})  # `//` would begin a comment in Cflags
configure_file(${PROJECT_SOURCE_DIR}/cmake/flaky-recorder.pc.in ${made}/flaky-recorder.pc @ONLY)
install(FILES ${made}/flaky-recorder.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

# `cpack -G DEB` in the build folder creates a Debian package of the installed files.
if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()
set(CPACK_GENERATOR DEB)
# Debian wants "NAME <ADDRESS>" here. The project has no address, so the person who publishes a package sets their own.
set(CPACK_PACKAGE_CONTACT "the developers of flaky" CACHE STRING "The maintainer that packages name")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libgtest-dev")
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/DebianFolders.cmake)
include(CPack)

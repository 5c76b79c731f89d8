# CPack runs this after it has installed the files of a package. Moves the zsh completions to the folder in which
# Debian's zsh looks for completions of packages.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()
set(share ${CPACK_TEMPORARY_DIRECTORY}${CPACK_PACKAGING_INSTALL_PREFIX}/share)
if(EXISTS ${share}/zsh/site-functions/_flaky)
  file(MAKE_DIRECTORY ${share}/zsh/vendor-completions)
  file(RENAME ${share}/zsh/site-functions/_flaky ${share}/zsh/vendor-completions/_flaky)
  file(REMOVE_RECURSE ${share}/zsh/site-functions)
endif()

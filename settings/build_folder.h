// SPDX-License-Identifier: MIT
#ifndef FLAKY_SETTINGS_BUILD_FOLDER_H_
#define FLAKY_SETTINGS_BUILD_FOLDER_H_

#include <filesystem>

namespace flaky {

// Returns the top folder of the sources from which CMake built what is in a folder: what `CMakeCache.txt` says, in the
// folder or the nearest one above it; without it, what the topmost `CTestTestfile.cmake` says. If that was not written
// by CMake, and its folder has a name such as `build`, it is the folder around it. Files of users who are not trusted
// (settings/ownership.h) do not count. Returns an empty path if the folder is in no build folder.
std::filesystem::path SourcesOfBuild(const std::filesystem::path& folder);

// Returns the top of the CMake project in whose sources a folder is: the topmost folder upwards with a
// `CMakeLists.txt`, but not up to a folder in which every user may write (IsForEveryUser in settings/ownership.h).
// Returns an empty path without such a file.
std::filesystem::path TopOfSources(const std::filesystem::path& folder);

}  // namespace flaky

#endif  // FLAKY_SETTINGS_BUILD_FOLDER_H_

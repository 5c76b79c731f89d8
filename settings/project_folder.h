// SPDX-License-Identifier: MIT
#ifndef FLAKY_SETTINGS_PROJECT_FOLDER_H_
#define FLAKY_SETTINGS_PROJECT_FOLDER_H_

#include <filesystem>
#include <string>

namespace flaky {

// Returns the top folder of the sources to which a folder belongs: of its repository; else, for a build folder of
// CMake, of the repository or the folder from which it was built (settings/build_folder.h); else of the CMake project
// around it. Returns an empty path if nothing shows where the sources are, or if `folder` is not absolute.
std::filesystem::path SourcesOf(const std::filesystem::path& folder);

// Returns the name of a folder's project: of the repository of its sources (settings/repository_name.h), else of the
// sources' top folder, else of the folder itself. So the name is the same in every worktree and clone of a repository,
// and in the sources and the build folder of a tree without git. It is always storable text (history/text.h), and empty
// for the root folder outside any project.
std::string ProjectOf(const std::filesystem::path& folder);

}  // namespace flaky

#endif  // FLAKY_SETTINGS_PROJECT_FOLDER_H_

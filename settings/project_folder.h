// SPDX-License-Identifier: MIT
#ifndef FLAKY_SETTINGS_PROJECT_FOLDER_H_
#define FLAKY_SETTINGS_PROJECT_FOLDER_H_

#include <filesystem>
#include <string>

namespace flaky {

// Returns the top folder of the working tree of `from`: the nearest folder upwards that has a `.git`, which is a folder
// or, in a linked worktree or submodule, a file. `from` itself need not exist any more. Returns an empty path if there
// is no such folder, or if `from` is not absolute.
std::filesystem::path RepositoryTop(const std::filesystem::path& from);

// Returns the folder in which git keeps what belongs to the working tree `top` alone: `.git`, or the folder that the
// file `.git` names. Returns the path of `.git` itself if that file names none. Reads at most 8 KiB.
std::filesystem::path GitFolder(const std::filesystem::path& top);

// Returns the top folder of the sources to which a folder belongs: of its repository; else, for a build folder of
// CMake, of the repository or the folder from which it was built (settings/build_folder.h); else of the CMake project
// around it. Returns an empty path if nothing shows where the sources are, or if `folder` is not absolute.
std::filesystem::path SourcesOf(const std::filesystem::path& folder);

// Returns the name of a folder's project: of the repository of its sources (settings/repository_name.h), else of the
// sources' top folder, else of the folder itself. So the name is the same in every worktree and clone of a repository,
// and in the sources and the build folder of a tree without git. It is always storable text (history/text.h), and empty
// for the root folder outside any project.
std::string ProjectOf(const std::filesystem::path& folder);

// Returns true for a folder in which every user may write, such as /tmp. Without a repository, a search upwards ends
// before it, because projects of several users are in it.
bool IsForEveryUser(const std::filesystem::path& folder);

}  // namespace flaky

#endif  // FLAKY_SETTINGS_PROJECT_FOLDER_H_

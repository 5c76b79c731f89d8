// SPDX-License-Identifier: MIT
#ifndef FLAKY_SETTINGS_GIT_FOLDER_H_
#define FLAKY_SETTINGS_GIT_FOLDER_H_

#include <filesystem>

namespace flaky {

// Returns the top folder of the working tree of `from`: the nearest folder upwards that has a `.git`, which is a folder
// or, in a linked worktree or submodule, a file. `from` itself need not exist any more. Returns an empty path if there
// is no such folder, or if `from` is not absolute.
std::filesystem::path RepositoryTop(const std::filesystem::path& from);

// Returns the folder in which git keeps what belongs to the working tree `top` alone: `.git`, or the folder that the
// file `.git` names. Returns the path of `.git` itself if that file names none. Reads at most 8 KiB.
std::filesystem::path GitFolder(const std::filesystem::path& top);

}  // namespace flaky

#endif  // FLAKY_SETTINGS_GIT_FOLDER_H_

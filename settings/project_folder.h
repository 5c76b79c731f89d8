#ifndef FLAKY_SETTINGS_PROJECT_FOLDER_H_
#define FLAKY_SETTINGS_PROJECT_FOLDER_H_

#include <filesystem>
#include <string>

namespace flaky {

// The top folder of the working tree that `from` lies in: the nearest folder upwards that holds `.git`, as a folder or,
// in a linked worktree or submodule, as a file. `from` itself need not exist any more. Empty when there is no such
// folder, or `from` is not absolute.
std::filesystem::path RepositoryTop(const std::filesystem::path& from);

// The name of a folder's project: that of the repository's top folder, else that of the folder itself. Always storable
// text (history/text.h); empty for the root folder outside any repository.
std::string ProjectOf(const std::filesystem::path& folder);

}  // namespace flaky

#endif  // FLAKY_SETTINGS_PROJECT_FOLDER_H_

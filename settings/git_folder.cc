// SPDX-License-Identifier: MIT
#include "settings/git_folder.h"

#include <string>
#include <string_view>
#include <system_error>

#include "settings/folder_path.h"
#include "settings/small_file.h"

namespace flaky {

namespace fs = std::filesystem;

fs::path RepositoryTop(const fs::path& from) {
  if (!from.is_absolute()) return {};
  for (fs::path folder = NormalFolder(from);; folder = folder.parent_path()) {
    std::error_code missing;
    const fs::file_status dot_git = fs::status(folder / ".git", missing);
    if (fs::is_directory(dot_git) || fs::is_regular_file(dot_git)) return folder;
    if (folder == folder.parent_path()) return {};
  }
}

fs::path GitFolder(const fs::path& top) {
  constexpr std::string_view kPointer = "gitdir: ";
  fs::path dot_git = top / ".git";
  std::error_code ignored;
  if (fs::is_directory(dot_git, ignored)) return dot_git;
  const std::string line = FirstLineOf(dot_git);
  if (!line.starts_with(kPointer) || line.find('\0') != line.npos) return dot_git;
  return top / line.substr(kPointer.size());  // an absolute path replaces the top
}

}  // namespace flaky

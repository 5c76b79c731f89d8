// SPDX-License-Identifier: MIT
#include "settings/git_folder.h"

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <system_error>

#include "settings/folder_path.h"
#include "settings/small_file.h"

namespace flaky {

namespace fs = std::filesystem;

fs::path RepositoryTop(const fs::path& from) {
  if (!from.is_absolute()) return {};
  fs::path top;
  LookUpwardsFrom(from, [&](const std::string& folder) {
    struct stat dot_git {};
    if (::stat((folder + "/.git").c_str(), &dot_git) != 0) return true;
    if (!S_ISDIR(dot_git.st_mode) && !S_ISREG(dot_git.st_mode)) return true;
    top = folder;
    return false;
  });
  return top;
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

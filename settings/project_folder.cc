// SPDX-License-Identifier: MIT
#include "settings/project_folder.h"

#include <sys/stat.h>

#include <string_view>
#include <system_error>

#include "history/text.h"
#include "settings/build_folder.h"
#include "settings/repository_name.h"
#include "settings/small_file.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;

fs::path WithoutSlash(const fs::path& folder) {
  const fs::path normal = folder.lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

}  // namespace

fs::path RepositoryTop(const fs::path& from) {
  if (!from.is_absolute()) return {};
  for (fs::path folder = WithoutSlash(from);; folder = folder.parent_path()) {
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

fs::path SourcesOf(const fs::path& folder) {
  if (!folder.is_absolute()) return {};
  const fs::path place = WithoutSlash(folder);
  if (fs::path top = RepositoryTop(place); !top.empty()) return top;
  const fs::path sources = SourcesOfBuild(place);
  if (sources.empty()) return TopOfSources(place);
  if (fs::path top = RepositoryTop(sources); !top.empty()) return top;
  const fs::path top = TopOfSources(sources);
  return top.empty() ? sources : top;
}

std::string ProjectOf(const fs::path& folder) {
  fs::path top = SourcesOf(folder);
  std::string name;
  if (top.empty()) {
    top = WithoutSlash(folder);
  } else if (RepositoryTop(top) == top) {
    name = RepositoryName(top);
  }
  return name.empty() ? MakeStorable(WithoutSlash(top).filename().string()) : name;
}

bool IsForEveryUser(const fs::path& folder) {
  struct stat status {};
  return ::stat(folder.c_str(), &status) == 0 && (status.st_mode & S_IWOTH) != 0;
}

}  // namespace flaky

// SPDX-License-Identifier: MIT
#include "settings/project_folder.h"

#include <system_error>

#include "history/text.h"

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

std::string ProjectOf(const fs::path& folder) {
  const fs::path top = RepositoryTop(folder);
  return MakeStorable(WithoutSlash(top.empty() ? folder : top).filename().string());
}

}  // namespace flaky

// SPDX-License-Identifier: MIT
#include "settings/project_folder.h"

#include "history/text.h"
#include "settings/build_folder.h"
#include "settings/folder_path.h"
#include "settings/git_folder.h"
#include "settings/repository_name.h"

namespace flaky {

namespace fs = std::filesystem;

fs::path SourcesOf(const fs::path& folder) {
  if (!folder.is_absolute()) return {};
  const fs::path place = NormalFolder(folder);
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
    top = NormalFolder(folder);
  } else if (RepositoryTop(top) == top) {
    name = RepositoryName(top);
  }
  return name.empty() ? MakeStorable(NormalFolder(top).filename().string()) : name;
}

}  // namespace flaky

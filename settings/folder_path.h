// SPDX-License-Identifier: MIT
#ifndef FLAKY_SETTINGS_FOLDER_PATH_H_
#define FLAKY_SETTINGS_FOLDER_PATH_H_

#include <filesystem>

namespace flaky {

// Returns the path of a folder without `.`, `..` and a slash at its end, so that its last part is the folder's name.
// Does not look at the disk.
inline std::filesystem::path NormalFolder(const std::filesystem::path& folder) {
  const std::filesystem::path normal = folder.lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

}  // namespace flaky

#endif  // FLAKY_SETTINGS_FOLDER_PATH_H_

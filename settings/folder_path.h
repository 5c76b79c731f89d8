// SPDX-License-Identifier: MIT
#ifndef FLAKY_SETTINGS_FOLDER_PATH_H_
#define FLAKY_SETTINGS_FOLDER_PATH_H_

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>

namespace flaky {

// Returns the path of a folder without `.`, `..` and a slash at its end, so that its last part is the folder's name.
// Does not look at the disk.
inline std::filesystem::path NormalFolder(const std::filesystem::path& folder) {
  const std::filesystem::path normal = folder.lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

// Calls `look` with the path of an absolute folder, as NormalFolder, and with those of the folders above it up to `/`,
// until it returns false. A delivery asks many times, and texts are cheaper than std::filesystem::path.
template <typename Look>
void LookUpwardsFrom(const std::filesystem::path& folder, Look&& look) {
  std::string place = NormalFolder(folder).string();
  while (look(place) && place.size() > 1) place.resize(std::max<size_t>(place.rfind('/'), 1));
}

}  // namespace flaky

#endif  // FLAKY_SETTINGS_FOLDER_PATH_H_

// SPDX-License-Identifier: MIT
#include "delivery/own_stores.h"

#include "settings/settings_files.h"

namespace flaky {
namespace {

// Returns true if a project's file cannot change which store it is.
bool EnvironmentNamesStore(const Settings& settings) {
  for (const Setting<std::string>& name : {setting::kDb, setting::kConnectionString}) {
    const auto given = settings.Given(name);
    if (given && given->origin <= Origin::kEnvironment) return true;
  }
  return false;
}

}  // namespace

bool OwnStores::TakeFrom(const std::filesystem::path& folder) {
  const auto [known, is_new] = by_folder_.try_emplace(folder);
  if (is_new) {
    const std::filesystem::path file = folder.is_absolute() ? FindProjectFile(folder).path : "";
    const auto [same, is_new_file] = by_file_.try_emplace(file);
    if (is_new_file) same->second = Compare(file);
    known->second = same->second;
  }
  return known->second;
}

bool OwnStores::Compare(const std::filesystem::path& project_file) const {
  Settings settings = resolved_.everywhere;
  if (!project_file.empty()) {
    const char* const home = GetEnvironment("HOME");
    try {
      ReadSettingsFile(project_file, Origin::kProjectFile, home == nullptr ? "" : home, settings);
    } catch (const SettingError&) {
      if (!EnvironmentNamesStore(resolved_.everywhere)) return false;
      settings = resolved_.everywhere;
    }
  }
  return SelectSameStores(resolved_, Resolve(settings));
}

}  // namespace flaky

// SPDX-License-Identifier: MIT
#include "history/masked.h"
#include "settings/settings.h"

namespace flaky {
namespace {

// Replaces `~` at the beginning of a path by the home. Returns false if there is no home to be put in.
bool PutInHome(std::string& path, const std::function<const char*(const char*)>& get) {
  if (path != "~" && !path.starts_with("~/")) return true;
  const char* const home = get("HOME");
  if (home == nullptr || *home != '/') return false;
  path.replace(0, 1, home);
  return true;
}

}  // namespace

void Settings::ReadEnvironment(const std::function<const char*(const char*)>& get) {
  std::string homeless;
  for (const SettingInfo& info : SettingTable()) {
    const std::string name(info.name);
    const char* const text = get(name.c_str());
    if (text == nullptr) continue;
    SettingValue value{text, Origin::kEnvironment, {}};
    if (info.kind == SettingKind::kPath) {
      std::string path(flaky::Unwrapped(value.text));
      const bool in_home = path.starts_with('~') && !LooksLikeAddress(path);
      if (in_home && path != value.text) unwrapped_.push_back(Naming(info, value));
      if (in_home) value.text = path;
      if (in_home && !PutInHome(value.text, get) && homeless.empty()) {
        homeless =
            Naming(info, value) + ": invalid value `" + path + "`; expected an absolute path, because HOME is not set";
      }
    }
    Set(info, std::move(value));
  }
  if (!homeless.empty()) throw SettingError(homeless);
}

std::string Settings::Unwrapped() const {
  std::string names;
  for (const std::string& name : unwrapped_) names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "" : names + ": removed the quotes, blanks or line ends around the value";
}

}  // namespace flaky

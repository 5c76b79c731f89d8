#ifndef FLAKY_SETTINGS_SETTINGS_FILES_H_
#define FLAKY_SETTINGS_SETTINGS_FILES_H_

#include <filesystem>
#include <functional>

#include "settings/settings.h"

// Settings in files: TOML, one `key = value` a setting, the key as FileKey() has it. A relative path and one that
// begins with
// `~/` are understood from the file's folder and the user's home.
namespace flaky {

// The project's file: the nearest `.flaky.toml` from `folder` upwards, but not above the top of the git repository, and
// outside of any repository in `folder` only: what lies in a folder such as /tmp may be a stranger's. Empty when there
// is none.
std::filesystem::path ProjectSettingsFile(const std::filesystem::path& folder);

// The user's file, whether or not it is there: `$XDG_CONFIG_HOME/flaky/config.toml`, by default `~/.config/…`. Empty
// without a home. `get` is as std::getenv.
std::filesystem::path UserSettingsFile(const std::function<const char*(const char*)>& get);

// Takes the settings in `file` as of `origin`, kProjectFile or kUserFile. A file that is not there has none. Throws
// SettingError, which names the file and, where one is to blame, the line: for what is not TOML, for a key that is no
// setting, for a value that is no text, number or truth value, for what may not stand in such a file (secrets in a
// project's, or in a user's file that others can read), and for a file that cannot be read.
void ReadSettingsFile(const std::filesystem::path& file, Origin origin, const std::filesystem::path& home,
                      Settings& settings);

}  // namespace flaky

#endif  // FLAKY_SETTINGS_SETTINGS_FILES_H_

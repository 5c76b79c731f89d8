// SPDX-License-Identifier: MIT
#ifndef FLAKY_SETTINGS_SETTINGS_FILES_H_
#define FLAKY_SETTINGS_SETTINGS_FILES_H_

#include <filesystem>
#include <functional>

#include "settings/settings.h"

// Settings in files. The format is TOML, with one `key = value` per setting; FileKey() defines the keys. A relative
// path is relative to the file's folder, and `~/` is the user's home.
namespace flaky {

// Returns the project's file: the nearest `.flaky.toml` from `folder` upwards, but not above the top of the git
// repository. Outside a repository only `folder` itself is searched, because another user may have written a file in a
// parent folder such as /tmp. Returns an empty path if there is no file.
std::filesystem::path ProjectSettingsFile(const std::filesystem::path& folder);

// The variable in which `flaky run` gives the programs under it the path of the user's file, whatever home they have.
inline constexpr char kRunConfig[] = "FLAKY_RUN_CONFIG";

// The variable in which `flaky run` tells the `flaky` commands under it how many seconds a delivery may take.
// FLAKY_TESTS_DELIVERY_TIMEOUT is 0 there, so that the test programs do not deliver.
inline constexpr char kRunTimeout[] = "FLAKY_RUN_TIMEOUT";

// Returns the path of the user's file, which may not exist: the one that kRunConfig names, else
// `$XDG_CONFIG_HOME/flaky/config.toml`, by default `~/.config/…`. Returns an empty path without a home. `get` is as
// std::getenv.
std::filesystem::path UserSettingsFile(const std::function<const char*(const char*)>& get);

// Reads the settings in `file` into `settings`. `origin`: kProjectFile or kUserFile. A missing file counts as empty.
// Throws SettingError, which names the file and, if known, the line. Errors are: invalid TOML; an unknown key; a value
// that is not a text, number or bool; a setting that is not allowed in such a file (a secret in a project's file, or in
// a user's file that other users can read); and a file that cannot be read.
void ReadSettingsFile(const std::filesystem::path& file, Origin origin, const std::filesystem::path& home,
                      Settings& settings);

}  // namespace flaky

#endif  // FLAKY_SETTINGS_SETTINGS_FILES_H_

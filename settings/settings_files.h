// SPDX-License-Identifier: MIT
#ifndef FLAKY_SETTINGS_SETTINGS_FILES_H_
#define FLAKY_SETTINGS_SETTINGS_FILES_H_

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "settings/settings.h"

// Settings in files. The format is TOML, with one `key = value` per setting; FileKey() defines the keys. A relative
// path is relative to the file's folder, and `~/` is the user's home. The table [judge] has the constants of the model.
namespace flaky {

// The project's file, and whether it counts.
struct ProjectFile {
  std::filesystem::path path;  // of the file that counts; empty: none does
  std::string left_out;        // which file does not count and why, as a sentence; may be empty
  std::string advice;          // what to do about it
};

// Finds the project's file: the nearest `.flaky.toml` from `folder` upwards, but not above the top of the git
// repository. Outside a repository the search ends before a folder in which every user may write (IsForEveryUser in
// settings/ownership.h), and for a build folder of CMake it goes on in the folder of the sources. The file counts
// only if it and its folder belong to a trusted user (settings/ownership.h): another user may have written a file in a
// folder such as /tmp. So must the repository's top folder, its `.git` and what that names, unless the file is in
// `folder` itself and that is not the top.
ProjectFile FindProjectFile(const std::filesystem::path& folder);

// Returns the project's folder, in which a database that its file names must lie: the top of the repository, else the
// folder of the file.
std::filesystem::path ProjectFolderOf(const std::filesystem::path& file);

// The variable in which `flaky run` gives the programs under it the path of the user's file, whatever home they have.
inline constexpr char kRunConfig[] = "FLAKY_RUN_CONFIG";

// The variable in which `flaky run` tells the `flaky` commands under it how many seconds a delivery may take.
// FLAKY_TESTS_DELIVERY_TIMEOUT is 0 there, so that the test programs do not deliver.
inline constexpr char kRunTimeout[] = "FLAKY_RUN_TIMEOUT";

// The variables in which `flaky run` tells the `flaky` commands under it which of the variables of its stores it has
// set itself, as `NAME:FINGERPRINT,…` (RunVariable), and the project's folder if its file has named them.
inline constexpr char kRunStores[] = "FLAKY_RUN_STORES";
inline constexpr char kRunProject[] = "FLAKY_RUN_PROJECT";

// Returns `NAME:FINGERPRINT` for a variable with this text.
std::string RunVariable(const SettingInfo& info, std::string_view text);

// Marks the settings that these two variables describe (SettingValue::of_run). `get` is as std::getenv.
void MarkSettingsOfRun(const std::function<const char*(const char*)>& get, Settings& settings);

// Returns the path of the user's file, which may not exist: the one that kRunConfig names, else
// `$XDG_CONFIG_HOME/flaky/config.toml`, by default `~/.config/…`. Returns an empty path without a home. `get` is as
// std::getenv.
std::filesystem::path UserSettingsFile(const std::function<const char*(const char*)>& get);

// Reads the settings in `file` into `settings`. `origin`: kProjectFile or kUserFile. A missing file counts as empty.
// Throws SettingError, which names the file and, if known, the line. Errors are: invalid TOML; an unknown key; a value
// that is not a text, number or bool; a setting that is not allowed in such a file (a secret in a project's file, or in
// a user's file that other users can read); a project's file of a user who is not trusted; and a file that cannot be
// read.
void ReadSettingsFile(const std::filesystem::path& file, Origin origin, const std::filesystem::path& home,
                      Settings& settings);

}  // namespace flaky

#endif  // FLAKY_SETTINGS_SETTINGS_FILES_H_

// SPDX-License-Identifier: MIT
#ifndef FLAKY_SETTINGS_LOCATIONS_H_
#define FLAKY_SETTINGS_LOCATIONS_H_

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "settings/settings.h"
#include "settings/store_pair.h"
#include "stores/location.h"

// What the settings name: stores, spool and project. This is the only place that resolves them.
namespace flaky {

// Returns a variable of the process's environment, or nullptr, like std::getenv.
const char* GetEnvironment(const char* name);

// A value, or the error that explains why it is missing. So a command fails only if it needs the invalid setting.
template <typename T>
class OrError {
 public:
  OrError() : error_(std::make_exception_ptr(std::logic_error("the settings are not resolved"))) {}
  template <typename Resolve>
  static OrError From(Resolve&& resolve) {
    OrError result;
    try {
      result.value_ = resolve();
      result.error_ = nullptr;
    } catch (const std::exception&) {
      result.error_ = std::current_exception();
    }
    return result;
  }

  // Throws the error.
  const T& Get() const {
    if (error_) std::rethrow_exception(error_);
    return *value_;
  }
  bool IsError() const { return error_ != nullptr; }

  // Returns the error's text, or an empty text.
  std::string Problem() const {
    try {
      if (error_) std::rethrow_exception(error_);
    } catch (const std::exception& error) {
      return error.what();
    }
    return {};
  }

 private:
  std::optional<T> value_;
  std::exception_ptr error_;
};

// What a location in an argument gets from the settings.
struct LocationDefaults {
  std::string prefix;
  Secret token;
};

// The settings resolved, once for a process: where everything is. The errors are SettingError and StoreError
// (kInvalid).
struct ResolvedSettings {
  // The history: FLAKY_TESTS_STORE and its companions.
  OrError<Location> history;
  // The old store: FLAKY_TESTS_SOURCE_*. Nullopt if none of them is set.
  OrError<std::optional<Location>> source;
  // The second store of a dual write: FLAKY_TESTS_DUAL_*. Nullopt if dual write is off: none of _STORE, _DB and
  // _CONNECTION_STRING is set. It is an error if this is the history's own store.
  OrError<std::optional<Location>> second;
  bool dual_is_on = false;  // even if these settings are wrong
  // Whether a delivery keeps for the second store what the history got: even if the settings of the second store are
  // wrong, so that the user can correct them; but not if both are one store, which has everything.
  bool keeps_for_second = false;

  LocationDefaults history_defaults, source_defaults;

  // The folder of journals. It is an error if another user may have created it (UsableStateFolder).
  OrError<std::string> spool;
  // The name of the folder in the spool that holds what waits for the second store (spool/dual_queue.h). A project
  // whose file has a part in naming the two stores has a separate one: what waits must not reach the stores of another
  // project.
  std::string dual_queue;
  // The project that FLAKY_TESTS_PROJECT names ("" is resolved to nullopt: the runs without a project), else that of
  // the current folder (ProjectOf in settings/project_folder.h).
  std::optional<std::string> project;
  // The project that the user's config.toml names, if it is the one in force.
  std::optional<std::string> user_project;

  OrError<std::chrono::seconds> delivery_timeout;

  Settings everywhere;  // what holds in every folder: without the project's file
};

// Reads the environment (HOME, XDG_STATE_HOME) and the current folder in addition to the settings.
ResolvedSettings Resolve(const Settings& settings);

// Returns true if both send what is delivered to the same stores.
bool SelectSameStores(const ResolvedSettings& one, const ResolvedSettings& other);

// Throws SettingError if a project's file names a database (`db`, `dual_db`, `source_db`) that is not in the
// project's folder, or that is reached through a link in it. Does nothing for other settings and origins.
void CheckPlace(const SettingInfo& info, const SettingValue& value);

// Returns the SQLite file that holds the history if no setting names one.
std::string DefaultHistoryFile();

// Returns the store that an argument names, with the token from FLAKY_TESTS_AUTH_TOKEN or, for the old store, from
// FLAKY_TESTS_SOURCE_AUTH_TOKEN. `option` is the flag before the argument. Throws StoreError and SettingError; the
// latter also for a password or token in the text, because every user of the machine can read a program's arguments.
enum class Side { kHistory, kSource };
Location NamedLocation(const ResolvedSettings& resolved, const std::string& text, const std::string& option, Side side);

// Return the store that the text after the option names; if it is empty, the one of FLAKY_TESTS_SOURCE_* or of
// FLAKY_TESTS_*. Throw SettingError, also if no source is named at all, and StoreError (kInvalid).
Location SourceOf(const ResolvedSettings& resolved, const StoreOptions& options, const std::string& text);
Location TargetOf(const ResolvedSettings& resolved, const StoreOptions& options, const std::string& text);

}  // namespace flaky

#endif  // FLAKY_SETTINGS_LOCATIONS_H_

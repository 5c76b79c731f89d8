#ifndef FLAKY_SETTINGS_LOCATIONS_H_
#define FLAKY_SETTINGS_LOCATIONS_H_

#include <optional>
#include <string>

#include "settings/settings.h"
#include "stores/location.h"

namespace flaky {

// A variable of the process's environment, in the form in which settings and facts are asked for it.
const char* GetEnvironment(const char* name);

// Where FLAKY_TESTS_STORE and its companions say the history is. Throws SettingError or StoreError (kInvalid).
Location HistoryLocation(const Settings& settings);

// The SQLite file that keeps the history where no setting names one.
std::string DefaultHistoryFile();

// Where FLAKY_TESTS_SOURCE_* say the old history is; absent when none of them is given.
std::optional<Location> SourceLocation(const Settings& settings);

// Where FLAKY_TESTS_DUAL_* say a second store is; absent where dual write is off: none of _STORE, _DB and
// _CONNECTION_STRING is given. Throws SettingError, also where it is the history's own store, and StoreError
// (kInvalid).
std::optional<Location> DualLocation(const Settings& settings);

// Whether it is on, whatever is wrong with the settings.
bool IsDualOn(const Settings& settings);

// Whether deliveries write down for the second store what the first one got: also where its settings are wrong, so that
// they can be mended; but not where both are one store, which has everything.
bool WritesForSecond(const Settings& settings);

// The store that an argument names, with the token that FLAKY_TESTS_AUTH_TOKEN or, for the old store,
// FLAKY_TESTS_SOURCE_AUTH_TOKEN gives. `option` is the flag it stands behind. Throws StoreError and SettingError, the
// latter also for a password or token in the text: every user of the machine can read a program's arguments.
enum class Side { kHistory, kSource };
Location NamedLocation(const Settings& settings, const std::string& text, const std::string& option, Side side);

// The folder of journals that FLAKY_TESTS_SPOOL or the default names.
std::string SpoolFolder(const Settings& settings);

// The project that FLAKY_TESTS_PROJECT names ("": the runs without a project), else that of the current folder: the
// name of the git repository's top folder, else of the folder itself.
std::optional<std::string> CurrentProject(const Settings& settings);

}  // namespace flaky

#endif  // FLAKY_SETTINGS_LOCATIONS_H_

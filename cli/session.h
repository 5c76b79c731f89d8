#ifndef FLAKY_CLI_SESSION_H_
#define FLAKY_CLI_SESSION_H_

#include <iosfwd>
#include <memory>
#include <optional>
#include <string>

#include "cli/exit_code.h"
#include "history/settings.h"
#include "stores/open.h"

namespace flaky {

// One invocation of the program: the settings in force and where output goes. Commands hold a reference to it.
struct Session {
  Settings settings;
  std::ostream& out;  // data
  std::ostream& err;  // all else
  bool terminal = false;  // err is a terminal
  ExitCode exit_code = ExitCode::kOk;
};

// Where FLAKY_TESTS_STORE and its companions say the history is. Throws SettingError or StoreError (kInvalid).
Location HistoryLocation(const Settings& settings);

// Where FLAKY_TESTS_SOURCE_* say the old history is; absent when none of them is given.
std::optional<Location> SourceLocation(const Settings& settings);

// The folder of journals that FLAKY_TESTS_SPOOL or the default names.
std::string SpoolFolder(const Settings& settings);

// The project that FLAKY_TESTS_PROJECT names ("": the runs without a project), else that of the current folder: the name of
// the git repository's top folder, else of the folder itself.
std::optional<std::string> CurrentProject(const Settings& settings);

// Opens the history for reading, after delivering what is pending (cli/delivery.h).
std::unique_ptr<Store> OpenHistory(Session& session);

}  // namespace flaky

#endif  // FLAKY_CLI_SESSION_H_

#ifndef FLAKY_CLI_SESSION_H_
#define FLAKY_CLI_SESSION_H_

#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "cli/output/status_line.h"
#include "settings/locations.h"
#include "settings/settings.h"
#include "stores/open.h"

namespace flaky {

// One invocation of the program: the settings in force and where output goes. Commands hold a reference to it.
struct Session {
  Settings settings;
  std::ostream& out;      // data
  StatusLine& err;        // all else (cli/output/log.h)
  bool terminal = false;  // err is a terminal that can draw a line anew
  ExitCode exit_code = ExitCode::kOk;
  bool color = false;                                          // out is a terminal, and NO_COLOR is not set
  std::vector<std::string> command = {};                       // that `flaky run` is to run
  std::optional<std::string> settings_problem = std::nullopt;  // why the settings cannot be used, for `flaky run`
};

// Adds what the environment, the project's .flaky.toml and the user's config.toml say (settings/settings_files.h) to
// the flags that are already in. Throws SettingError.
void LoadSettings(Session& session);

// Delivers what is pending, for a command that is about to read the history. What goes wrong with that is a warning,
// not an error: the history is there all the same.
void DeliverBeforeReading(Session& session);

// How the program repeats what failed for a moment: told by a message when it takes longer, given up at Ctrl-C. Lives
// no longer than the session.
RetryPolicy Retrying(const Session& session);

// Opens a store for writing. The folder of the default file is made when it is first used; any other place is the
// user's to make. Throws StoreError.
std::unique_ptr<Store> OpenForWriting(const Location& location, OpenMode mode, RetryPolicy policy);

// Opens the history for reading, after DeliverBeforeReading.
std::unique_ptr<Store> OpenHistory(Session& session);

}  // namespace flaky

#endif  // FLAKY_CLI_SESSION_H_

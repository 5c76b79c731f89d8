// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_SESSION_H_
#define FLAKY_CLI_SESSION_H_

#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "cli/output/log.h"
#include "cli/output/status_line.h"
#include "delivery/delivery.h"
#include "settings/locations.h"
#include "settings/settings.h"
#include "stores/open.h"

namespace flaky {

// One invocation of the program: the settings in force and where output goes. Commands hold a reference to it.
struct Session {
  Settings settings;
  std::ostream& out;      // data
  StatusLine& err;        // everything else (cli/output/log.h)
  bool terminal = false;  // err is a terminal that can redraw a line
  bool color = false;     // out is a terminal, and NO_COLOR is not set
  ExitCode exit_code = ExitCode::kOk;
  std::string left_out = {};  // about a project's file that does not count (FindProjectFile)
  // What LoadSettings makes of the settings.
  ResolvedSettings resolved = {};
  Logger log = Logger(err);
};

// Adds the settings from the environment, the project's .flaky.toml and the user's config.toml
// (settings/settings_files.h) to the flags that are already set, and resolves them. Throws SettingError; the session
// then has what could be read.
void LoadSettings(Session& session);

// Returns what the user should know about settings that are used all the same.
std::vector<std::string> NotesOnSettings(const Session& session);

// Resolves the settings again after they changed.
void ApplySettings(Session& session);

// Delivers what is pending, before a command reads the history. A failure is a warning and not an error, because the
// history can be read all the same.
void DeliverBeforeReading(Session& session);

// Returns the options of a delivery that logs and retries as the session does. They live no longer than the session.
DeliveryOptions DeliveryFor(const Session& session);

// Returns the retry policy for transient failures: logs a message after several tries, and gives up at Ctrl-C. Lives no
// longer than the session.
RetryPolicy Retrying(const Session& session);

// Logs what opening the store found that the user should know (Store::warnings).
void ReportWarnings(const Session& session, const Store& store);

// Opens the history for reading, after DeliverBeforeReading.
std::unique_ptr<Store> OpenHistory(Session& session);

}  // namespace flaky

#endif  // FLAKY_CLI_SESSION_H_

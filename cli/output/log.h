// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_OUTPUT_LOG_H_
#define FLAKY_CLI_OUTPUT_LOG_H_

#include <string>
#include <string_view>

#include "cli/output/status_line.h"
#include "settings/settings.h"

namespace flaky {

enum class LogLevel { kSilent, kError, kWarn, kDebug };

// Where messages go, and which ones. A value: cheap to copy.
struct Logger {
  // Without settings: warnings and errors, to `line`, which must outlive the object.
  explicit Logger(StatusLine& line) : err(&line) {}
  // As FLAKY_TESTS_LOG and FLAKY_TESTS_LOG_FILE say. An invalid level is ignored.
  Logger(StatusLine& line, const Settings& settings);

  StatusLine* err;
  LogLevel level = LogLevel::kWarn;
  std::string file;  // empty: none
};

// Opens a log file for appending. Returns -1 and sets errno if that is not possible, or if it is not a file of this
// user (ELOOP): a link, another user's file, a pipe or a device. `flags`: O_CREAT creates a missing file. WhyNoLogFile
// returns the reason as text.
int OpenLogFile(const std::string& path, int flags);
std::string WhyNoLogFile(int error);

// Prints a message, if the logger's level includes it, as one line `flaky: TEXT` on err. If there is a file, the line
// goes there, with time, level and process id, and only errors go to err as well; if the file cannot be written, err
// gets the line and says so. The text may contain anything. Any thread may call it.
void Log(const Logger& logger, LogLevel level, std::string_view text);

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_LOG_H_

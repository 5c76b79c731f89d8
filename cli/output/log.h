#ifndef FLAKY_CLI_OUTPUT_LOG_H_
#define FLAKY_CLI_OUTPUT_LOG_H_

#include <string_view>

#include "cli/session.h"

namespace flaky {

enum class LogLevel { kSilent, kError, kWarn, kDebug };

// Says something besides the data, if FLAKY_TESTS_LOG finds its level worth saying: as one line `flaky: TEXT` on the
// session's err. With FLAKY_TESTS_LOG_FILE every line goes there, with time, level and process id, and only errors to
// err as well; where that file cannot be written, err is told so and gets the line. The text may hold anything. Never
// throws for what is wrong with the settings. Any thread may call it.
void Log(const Session& session, LogLevel level, std::string_view text);

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_LOG_H_

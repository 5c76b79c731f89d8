// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_OUTPUT_RUN_TEXT_H_
#define FLAKY_CLI_OUTPUT_RUN_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/output/table.h"
#include "history/run.h"

// The texts of runs in tables.
namespace flaky {

// Returns the ids of the runs, shortened to the smallest length of at least 8 characters at which all of them differ.
std::vector<std::string> ShortIds(const std::vector<Run>& runs);

// Returns the first 8 characters of the commit, followed by `+` if files differed from it; `-` if it is unknown.
std::string CommitText(const Run& run);

// What to say instead of a status about a run of which something is still running.
inline constexpr char kRunning[] = "running";

// Returns the status of a run or part; `unfinished` if its end is unknown. `early`: what to say if it ended without a
// status, or kRunning.
Cell StatusCell(const Account& account, const std::optional<std::string>& early = std::nullopt);

// Returns the number of tests, such as "101", or "34 of 101" if the others have no result.
std::string TestsText(const Account& account);

// Return the value as text; `-` if it is unknown.
std::string CountText(const std::optional<int64_t>& count);
std::string DurationText(const Account& account);

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_RUN_TEXT_H_

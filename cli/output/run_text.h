#ifndef FLAKY_CLI_OUTPUT_RUN_TEXT_H_
#define FLAKY_CLI_OUTPUT_RUN_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/output/table.h"
#include "history/run.h"

// How runs and their facts are shown in tables.
namespace flaky {

// The runs' ids cut to the least length, but no less than 8 characters, in which they differ from each other.
std::vector<std::string> ShortIds(const std::vector<Run>& runs);

// The commit's first 8 characters, with `+` behind where files differed from it; `-` if it is not known.
std::string CommitText(const Run& run);

// `unfinished` where the end is not known.
Cell StatusCell(const Account& account);

// `-` where it is not known.
std::string CountText(const std::optional<int64_t>& count);
std::string DurationText(const Account& account);

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_RUN_TEXT_H_

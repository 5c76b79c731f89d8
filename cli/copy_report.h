// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_COPY_REPORT_H_
#define FLAKY_CLI_COPY_REPORT_H_

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_code.h"
#include "cli/output/json_output.h"
#include "formats/format.h"
#include "transfer/copy.h"

namespace flaky {

// The report of every command that copies.
struct CopyReport {
  std::string from, to;  // display names
  double seconds = 0;    // duration of the copy
  bool dry_run = false;
  bool json = false;
  std::optional<std::vector<Remark>> remarks = {};  // about a file; for JSON
};

// Prints one line for each converted run.
void PrintConverted(const std::vector<ConvertedRun>& runs, std::ostream& out);
Json JsonOfConverted(const std::vector<ConvertedRun>& runs);
Json JsonOfRemarks(const std::vector<Remark>& remarks);

// Prints the summary as text or JSON.
void PrintCopy(const CopySummary& summary, const CopyReport& report, std::ostream& out);

// Print one line of a summary, with its note unless that is empty; and the speed, in rows of the tables (runs, parts
// and failures) per second.
void PrintCount(std::string_view what, int64_t count, std::string_view note, std::ostream& out);
void PrintSpeed(const Totals& totals, double seconds, std::ostream& out);

// Returns the exit code for the summary.
ExitCode CodeOf(const CopySummary& summary);

}  // namespace flaky

#endif  // FLAKY_CLI_COPY_REPORT_H_

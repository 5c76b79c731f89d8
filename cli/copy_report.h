#ifndef FLAKY_CLI_COPY_REPORT_H_
#define FLAKY_CLI_COPY_REPORT_H_

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_code.h"
#include "cli/output/json_output.h"
#include "transfer/copy.h"

namespace flaky {

// How every command that copies tells what it did.
struct CopyReport {
  std::string from, to;  // as they may be shown
  double seconds = 0;    // that it took
  bool dry_run = false;
  bool json = false;
};

// The runs that were converted, a line or an object each.
void PrintConverted(const std::vector<ConvertedRun>& runs, std::ostream& out);
Json JsonOfConverted(const std::vector<ConvertedRun>& runs);

// Prints the account as text or JSON.
void PrintCopy(const CopySummary& account, const CopyReport& report, std::ostream& out);

// Rows of any account: what and how many, with a note unless it is empty; and how fast it went, in rows of the tables
// (runs, parts and failures) a second.
void PrintCount(std::string_view what, int64_t count, std::string_view note, std::ostream& out);
void PrintSpeed(const Totals& totals, double seconds, std::ostream& out);

// What the account means for the one who called the program.
ExitCode CodeOf(const CopySummary& account);

}  // namespace flaky

#endif  // FLAKY_CLI_COPY_REPORT_H_

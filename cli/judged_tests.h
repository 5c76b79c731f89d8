// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_JUDGED_TESTS_H_
#define FLAKY_CLI_JUDGED_TESTS_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/judged_history.h"
#include "cli/output/json_output.h"
#include "cli/output/table.h"
#include "cli/session.h"

// Lists of judged tests as text, for the commands that print them.
namespace flaky {

// Returns the words for all verdicts, as users write them.
std::vector<std::string> VerdictWords();

// Returns "project demo: 62 runs from 2026-11-05 to 2026-11-25, 20 tests: 1 broken, 6 flaky".
std::string HeadLine(const JudgedHistory& history);

Style StyleOf(Verdict verdict);
// Returns the position of the verdict among all, the worst first.
size_t Rank(Verdict verdict);

// A table with one row for each test.
Table TableOfVerdicts();
void AddRow(Table& table, const TestVerdict& test);

// Print what the tests depend on, which of them fail together, and what was not judged.
void PrintHints(std::span<const TestVerdict* const> tests, const Session& session);
void PrintClusters(const JudgedHistory& history, std::span<const TestVerdict* const> tests, const Session& session);
void PrintNotes(const JudgedHistory& history, const Session& session);

// Returns `; did you mean `Queue.Pops`?` for a name that no test has, or an empty text.
std::string DidYouMeanTest(const JudgedHistory& history, const std::string& name);

// Returns true if no test of the history matches the pattern. Says so, suggests others, and sets the exit code
// kNothing.
bool ReportUnknownTest(Session& session, const JudgedHistory& history, const std::string& pattern, Json& json);

}  // namespace flaky

#endif  // FLAKY_CLI_JUDGED_TESTS_H_

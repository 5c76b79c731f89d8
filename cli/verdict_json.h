// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_VERDICT_JSON_H_
#define FLAKY_CLI_VERDICT_JSON_H_

#include <cstdint>

#include "cli/judged_history.h"
#include "cli/output/json_output.h"

// Verdicts in JSON: the same members in every command.
namespace flaky {

// Returns a test's verdict with its reasons, hints and the code versions on which it failed.
Json VerdictJson(const TestVerdict& test, const JudgedHistory& history);

// Returns the same of a test that never failed.
Json HealthyJson(TestId test, Verdict verdict, int64_t executions, const JudgedHistory& history);

// Returns what a verdict rests on on one code version.
Json EvidenceJson(const CodeEvidence& code);

}  // namespace flaky

#endif  // FLAKY_CLI_VERDICT_JSON_H_

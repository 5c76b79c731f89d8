// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_JUDGED_RUN_H_
#define FLAKY_CLI_JUDGED_RUN_H_

#include <optional>
#include <string>
#include <vector>

#include "cli/judged_history.h"
#include "cli/output/json_output.h"
#include "cli/session.h"
#include "history/run.h"
#include "report/verdict_text.h"
#include "stores/store.h"

namespace flaky {

// A test that failed in a part of a run, and who was at fault.
struct JudgedFailure {
  TestId test = 0;
  const Part* part = nullptr;        // null: the run has no parts
  const Failure* failure = nullptr;  // the first one of the test in the part
  FaultText fault;
  const TestVerdict* verdict = nullptr;  // of the test; null: nothing is known about it

  // Returns the probability that the code is not at fault.
  double NotTheCode() const { return fault.p_test + fault.p_machine; }
};

// One run, judged as a part of the history of its project.
class JudgedRun {
 public:
  // Judges the tests that failed in `record`, which must outlive the object. The filters of the request do not matter.
  JudgedRun(const Session& session, Store& store, const RunRecord& record, JudgeRequest request);

  const JudgedHistory& history() const { return *history_; }
  // In the order of the record's failures.
  const std::vector<JudgedFailure>& failures() const { return failures_; }
  // Returns who was at fault for a failure of the record; null for a failure outside of tests.
  const JudgedFailure* Of(const Failure& failure) const;

 private:
  std::optional<JudgedHistory> history_;
  std::vector<JudgedFailure> failures_;
};

// Returns what is known about the test in one line: "flaky, failed 16 of 62, 26 % (17 to 38 %), since 2026-11-15".
std::string HistoryText(const TestVerdict& verdict);

// Returns the same facts as JSON.
Json FaultJson(const JudgedFailure& failure);

}  // namespace flaky

#endif  // FLAKY_CLI_JUDGED_RUN_H_

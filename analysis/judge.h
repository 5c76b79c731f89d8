// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_JUDGE_H_
#define FLAKY_ANALYSIS_JUDGE_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "analysis/evidence.h"
#include "analysis/model.h"
#include "analysis/verdict.h"
#include "history/time.h"

namespace flaky {

struct JudgeOptions {
  Timestamp at;                // parts that started later do not count
  std::string default_branch;  // empty: main, master, trunk or develop, else the branch with most parts
};

// Judges the tests of one project. analysis/model.h explains how.
//
//   Judge judge(model);
//   for each test, roster, run and part of the window, in any order: judge.Add…(…)
//   Judgement judgement = judge.Decide(options);
//
// The verdicts depend on what was added, not on its order. The same part must not be added twice. The memory grows with
// the failures and with the distinct tests, rosters and code versions; a part without a failure takes about 60 bytes.
// The work for a part does not grow with the tests that it executed.
class Judge {
 public:
  explicit Judge(const Model& model = {});
  ~Judge();
  Judge(Judge&&) noexcept;
  Judge& operator=(Judge&&) noexcept;

  // Return the number by which later calls name it. Equal tests have equal numbers.
  TestId AddTest(const TestIdentity& test);
  RosterIndex AddRoster(std::span<const TestId> tests);
  RunIndex AddRun(const RunEvidence& run);
  void AddPart(const PartEvidence& part);

  // Returns all tests that were added; a TestId is the position.
  std::span<const TestIdentity> tests() const;
  bool IsInRoster(RosterIndex roster, TestId test) const;

  // May be called several times; parts can be added in between.
  Judgement Decide(const JudgeOptions& options);
  // Returns what the verdict about a test rests on, as of the last Decide(): each code version on which it failed, in
  // order of time.
  std::vector<CodeEvidence> Explain(TestId test) const;
  // Returns how often each test was executed, as of the last Decide(). Counts only from parts with rosters, except for
  // tests that failed in others.
  std::vector<int64_t> CountExecutions() const;
  // Returns who was at fault for each failure of a run, as of the last Decide(). Empty if nothing of it failed.
  std::vector<Attribution> Attribute(RunIndex run) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_JUDGE_H_

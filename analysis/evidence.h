// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_EVIDENCE_H_
#define FLAKY_ANALYSIS_EVIDENCE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "history/time.h"

namespace flaky {

// The judge's input: facts about a history. A reader of a store fills these values; they hold no texts of failures.
// The views must live until the call returns.

using TestId = uint32_t;    // what Judge::AddTest returned
using RosterIndex = uint32_t;  // what Judge::AddRoster returned
using RunIndex = uint32_t;  // what Judge::AddRun returned
inline constexpr uint32_t kNoIndex = UINT32_MAX;

// A test is identified by its program and its name, or by its file and its name if the program is unknown, as in rows
// of the npm packages.
struct TestIdentity {
  std::string program;
  std::string file;
  std::string name;  // Suite.Test

  auto operator<=>(const TestIdentity&) const = default;
};

// The code that a run tested. Two runs tested the same code if their trees are equal, or their edited trees if the code
// was edited. Without these ids, equal commits count as the same code, and without a commit, or with unknown edits, the
// code of a run is its own.
struct CodeVersion {
  std::string_view tree;
  std::string_view commit;
  std::string_view edited_tree;
  bool dirty = false;
  std::string_view branch;
  std::optional<Timestamp> commit_time;  // orders code versions without the clocks of the machines
  std::string_view merge_base;           // the commit of the default branch from which this code began
};

struct RunEvidence {
  std::string_view run_id;
  CodeVersion code;
};

// A test of the part whose number of executions is not that of the others: skipped (0) or repeated.
struct Executions {
  TestId test = 0;
  uint32_t count = 0;
};

// One failed attempt.
struct FailedAttempt {
  TestId test = 0;
  TestId preceding = kNoIndex;  // the test that ran before it in the same process
  bool signal = false;          // the test ended its process
  bool killed = false;          // its process was ended from outside: SIGKILL, a machine that went away
};

struct PartEvidence {
  RunIndex run = 0;
  std::string_view part_id;
  Timestamp started_at;
  std::string_view variant;
  std::string_view host;
  std::string_view shard;
  bool shuffled = false;
  bool interrupted = false;
  // The tests that were executed, each `repetitions` times unless `other_executions` says otherwise. A test that failed
  // in this part was executed even if the roster lacks it. A part without a roster, as the npm packages write it, has
  // only a number of tests.
  RosterIndex roster = kNoIndex;
  int64_t executed_tests = 0;
  uint32_t repetitions = 1;
  std::span<const Executions> other_executions;
  std::span<const FailedAttempt> failures;
};

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_EVIDENCE_H_

// SPDX-License-Identifier: MIT
#ifndef FLAKY_HISTORY_RUN_H_
#define FLAKY_HISTORY_RUN_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "history/time.h"

// The data of the history. The fields are the columns of the stores (docs/reference/data-model.md). "Absent" is NULL,
// which is never the same as an empty text or a zero. These are plain values: copy, move and compare them freely. Only
// the immutable rosters are shared between threads.
namespace flaky {

// The values of `status` and `failure_kind`. They are kept as text, because a database that another tool wrote may have
// other values, and a copy must not change them.
inline constexpr std::string_view kPass = "pass";
inline constexpr std::string_view kFail = "fail";
inline constexpr std::string_view kAssertion = "assertion";
inline constexpr std::string_view kTimeout = "timeout";
inline constexpr std::string_view kUncaught = "uncaught";
inline constexpr std::string_view kUnknown = "unknown";

// All of these values. Some tables admit no others.
inline constexpr std::array<std::string_view, 2> kStatuses = {kPass, kFail};
inline constexpr std::array<std::string_view, 4> kFailureKinds = {kAssertion, kTimeout, kUncaught, kUnknown};
constexpr bool IsKnownStatus(std::string_view word) { return std::ranges::find(kStatuses, word) != kStatuses.end(); }
constexpr bool IsKnownFailureKind(std::string_view word) {
  return std::ranges::find(kFailureKinds, word) != kFailureKinds.end();
}

// What a run and a part have in common: their times, status and counts. `passed_tests` and `failed_tests` count tests,
// not results: a test that failed in one of its attempts counts as failed.
struct Account {
  Timestamp started_at;
  std::optional<Timestamp> ended_at;  // absent: still running, or died
  std::optional<int64_t> duration_ms;
  std::optional<std::string> status;   // kPass or kFail; absent until the run ends, and if only its early end is known
  std::optional<int64_t> total_tests;  // passed, failed and skipped
  std::optional<int64_t> passed_tests;
  std::optional<int64_t> failed_tests;
  std::optional<int64_t> errors_between_tests;  // failures outside any test
  std::optional<int64_t> missing_tests{};  // that were to run and have no result; absent: none is known to be missing

  bool operator==(const Account&) const = default;
};

struct Run {
  std::string run_id;
  std::optional<std::string> project;
  Account account;  // if the run has parts: their sum (history/merge.h)
  std::optional<std::string> git_sha;
  std::optional<bool> git_dirty;
  std::optional<std::string> tree_sha;  // git's id of the tree: identifies the code, also across a rebase
  std::optional<std::string> branch;
  std::optional<std::string> runtime_version;  // compiler and operating system
  std::optional<std::string> test_args;
  std::optional<std::string> ci_url;
  std::optional<Timestamp> commit_at{};      // when git_sha was committed
  std::optional<std::string> merge_base{};   // the newest commit that git_sha and the default branch have in common
  std::optional<std::string> edited_tree{};  // if git_dirty: git's id of the tree with the edits

  bool operator==(const Run&) const = default;
};

// What one delivery adds to a run. `part_id` is fixed when the part is recorded, so sending the part twice adds
// nothing.
struct Part {
  std::string part_id;
  Account account;
  std::optional<std::string> variant;  // asan, tsan, release …
  std::optional<std::string> shard;    // "2/10": the third of ten
  std::optional<std::string> roster_id;
  std::optional<std::string> ended_early{};  // history/early_end.h; absent: nothing did
  std::optional<std::string> host{};         // the name of the machine
  std::optional<int64_t> shuffle_seed{};     // of the first shuffled iteration; absent: not shuffled
  std::optional<int64_t> planned_tests{};    // that were to run
  std::optional<int64_t> rank{};             // of an MPI program: which of its processes this is
  std::optional<std::string> executions{};   // of the tests that were not executed exactly once (history/part_tests.h)
  std::optional<std::string> durations{};    // of the roster's tests (history/part_tests.h)

  bool operator==(const Part&) const = default;
};

// One failure. A test with several failed assertions has several failures with the same `attempt`.
struct Failure {
  std::optional<std::string> part_id;  // absent if another tool wrote the failure
  std::string test_file;               // that defines the test, relative to the repository's root if it is inside
  std::string test_name;               // `Suite.Test`, as in --gtest_filter
  std::string failure_kind;
  std::optional<std::string> error_message;
  std::optional<std::string> error_stack;
  std::optional<int64_t> duration_ms;
  Timestamp failed_at;
  std::optional<int64_t> line;
  std::optional<int64_t> attempt;  // 0, 1, … within the part
  std::optional<int64_t> shuffle_seed;
  std::optional<std::string> preceding_test;
  std::optional<std::string> signal;     // "SIGSEGV"
  std::optional<std::string> program{};  // the file name of the test program; absent if another tool wrote the failure
  std::optional<std::string> parameter{};  // GoogleTest's text of the test's value or type parameter

  bool operator==(const Failure&) const = default;
};

// The tests that a part executed or skipped, or one of the lists of names to which such a roster refers
// (history/roster.h). Immutable, so records can share it.
struct Roster {
  std::string roster_id;  // hash of `tests`
  std::string tests;

  bool operator==(const Roster&) const = default;
};
using RosterPtr = std::shared_ptr<const Roster>;

// One run with its parts, failures and rosters: the unit of every transaction, copy, retry and checksum. `rosters`
// holds each roster that the parts name, and each list that those name, once. The order of parts, failures and rosters
// has no meaning.
struct RunRecord {
  Run run;
  std::vector<Part> parts;
  std::vector<Failure> failures;
  std::vector<RosterPtr> rosters;
};

// Returns the ids of the records' runs, in the same order.
inline std::vector<std::string> RunIdsOf(std::span<const RunRecord> records) {
  std::vector<std::string> ids;
  ids.reserve(records.size());
  for (const RunRecord& record : records) ids.push_back(record.run.run_id);
  return ids;
}

}  // namespace flaky

#endif  // FLAKY_HISTORY_RUN_H_

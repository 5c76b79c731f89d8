// SPDX-License-Identifier: MIT
#ifndef FLAKY_HISTORY_FIELDS_H_
#define FLAKY_HISTORY_FIELDS_H_

#include "history/run.h"

// The one list of the fields of a run, a part and a failure. All code that reads, writes, digests or compares whole
// records uses it, so a field that is added here is stored, copied and verified everywhere, or does not compile.
//
// A visitor is called as `visit(name, values...)`, with the column's name and one value for each object that is walked.
// A value is a reference to the member. Its type is std::string, Timestamp, or std::optional of std::string, Timestamp,
// int64_t or bool. The order is that of the canonical bytes (history/digest.h) and never changes. New fields come last.
namespace flaky {

template <typename Visitor, typename... AccountT>
constexpr void ZipAccount(Visitor&& visit, AccountT&... account) {
  visit("started_at", account.started_at...);
  visit("ended_at", account.ended_at...);
  visit("duration_ms", account.duration_ms...);
  visit("status", account.status...);
  visit("total_tests", account.total_tests...);
  visit("passed_tests", account.passed_tests...);
  visit("failed_tests", account.failed_tests...);
  visit("errors_between_tests", account.errors_between_tests...);
}

template <typename Visitor, typename... RunT>
constexpr void ZipRun(Visitor&& visit, RunT&... run) {
  visit("run_id", run.run_id...);
  visit("project", run.project...);
  ZipAccount(visit, run.account...);
  visit("git_sha", run.git_sha...);
  visit("git_dirty", run.git_dirty...);
  visit("runtime_version", run.runtime_version...);
  visit("test_args", run.test_args...);
  visit("tree_sha", run.tree_sha...);
  visit("branch", run.branch...);
  visit("ci_url", run.ci_url...);
  visit("missing_tests", run.account.missing_tests...);
  visit("commit_at", run.commit_at...);
  visit("merge_base", run.merge_base...);
  visit("edited_tree", run.edited_tree...);
}

template <typename Visitor, typename... PartT>
constexpr void ZipPart(Visitor&& visit, PartT&... part) {
  visit("part_id", part.part_id...);
  ZipAccount(visit, part.account...);
  visit("variant", part.variant...);
  visit("shard", part.shard...);
  visit("roster_id", part.roster_id...);
  visit("ended_early", part.ended_early...);
  visit("missing_tests", part.account.missing_tests...);
  visit("host", part.host...);
  visit("shuffle_seed", part.shuffle_seed...);
  visit("planned_tests", part.planned_tests...);
  visit("rank", part.rank...);
  visit("executions", part.executions...);
  visit("durations", part.durations...);
}

template <typename Visitor, typename... FailureT>
constexpr void ZipFailure(Visitor&& visit, FailureT&... failure) {
  visit("test_file", failure.test_file...);
  visit("test_name", failure.test_name...);
  visit("failure_kind", failure.failure_kind...);
  visit("error_message", failure.error_message...);
  visit("error_stack", failure.error_stack...);
  visit("duration_ms", failure.duration_ms...);
  visit("failed_at", failure.failed_at...);
  visit("part_id", failure.part_id...);
  visit("line", failure.line...);
  visit("attempt", failure.attempt...);
  visit("shuffle_seed", failure.shuffle_seed...);
  visit("preceding_test", failure.preceding_test...);
  visit("signal", failure.signal...);
  visit("program", failure.program...);
  visit("parameter", failure.parameter...);
}

// The same for one object.
template <typename RunT, typename Visitor>
constexpr void VisitRun(RunT& run, Visitor&& visit) {
  ZipRun(visit, run);
}

template <typename PartT, typename Visitor>
constexpr void VisitPart(PartT& part, Visitor&& visit) {
  ZipPart(visit, part);
}

template <typename FailureT, typename Visitor>
constexpr void VisitFailure(FailureT& failure, Visitor&& visit) {
  ZipFailure(visit, failure);
}

}  // namespace flaky

#endif  // FLAKY_HISTORY_FIELDS_H_

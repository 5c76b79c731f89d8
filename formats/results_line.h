// SPDX-License-Identifier: MIT
#ifndef FLAKY_FORMATS_RESULTS_LINE_H_
#define FLAKY_FORMATS_RESULTS_LINE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "history/time.h"

// One line of plain results (docs/reference/results.md) as plain objects. They hold every field of the format, also
// those for which the data model has no place.
namespace flaky {

enum class ResultOutcome { kPassed, kFailed, kCrashed, kTimedOut, kSkipped };

// A duration, which the format gives in milliseconds, with a fraction or without.
struct ResultDuration {
  int64_t micros = 0;

  bool operator==(const ResultDuration&) const = default;
};

// One attempt at a test, or a failure outside of tests.
struct Result {
  std::string name;
  ResultOutcome outcome = ResultOutcome::kPassed;
  std::optional<std::string> file;
  std::optional<int64_t> line;
  std::optional<std::string> program;
  std::optional<ResultDuration> duration;
  std::optional<std::string> message, stack;
  std::optional<Timestamp> at;
  std::optional<std::string> parameter, preceding_test, signal;
  std::optional<int64_t> shuffle_seed;

  bool IsFailure() const { return outcome != ResultOutcome::kPassed && outcome != ResultOutcome::kSkipped; }
  // Returns true if this is the failure of a program between its tests, or of a suite's set-up: its name has no dot, or
  // is in brackets as its file.
  bool IsOutsideTests() const;

  bool operator==(const Result&) const = default;
};

// One part of a run. `run_id` and `started_at` are always there.
struct ResultsLine {
  std::string run_id;
  std::optional<std::string> part_id;
  std::optional<Timestamp> started_at, ended_at;
  std::optional<std::string> project, git_sha, tree_sha, branch, ci_url, runtime_version, arguments;
  std::optional<bool> git_dirty;
  std::optional<Timestamp> commit_time;
  std::optional<std::string> variant, shard, host, program;
  std::optional<bool> shuffled;
  std::optional<int64_t> shuffle_seed;
  std::optional<std::string> interrupted;
  std::vector<std::string> passed, skipped;
  std::vector<Result> results;

  bool operator==(const ResultsLine&) const = default;
};

// The one list of the fields of the format. A visitor is called as `visit(name, member)`.
template <typename ResultT, typename Visitor>
constexpr void VisitResult(ResultT& result, Visitor&& visit) {
  visit("name", result.name);
  visit("outcome", result.outcome);
  visit("file", result.file);
  visit("line", result.line);
  visit("program", result.program);
  visit("duration_ms", result.duration);
  visit("message", result.message);
  visit("stack", result.stack);
  visit("at", result.at);
  visit("parameter", result.parameter);
  visit("preceding_test", result.preceding_test);
  visit("signal", result.signal);
  visit("shuffle_seed", result.shuffle_seed);
}

template <typename LineT, typename Visitor>
constexpr void VisitResultsLine(LineT& line, Visitor&& visit) {
  visit("run_id", line.run_id);
  visit("part_id", line.part_id);
  visit("project", line.project);
  visit("started_at", line.started_at);
  visit("ended_at", line.ended_at);
  visit("git_sha", line.git_sha);
  visit("tree_sha", line.tree_sha);
  visit("git_dirty", line.git_dirty);
  visit("branch", line.branch);
  visit("commit_time", line.commit_time);
  visit("ci_url", line.ci_url);
  visit("runtime_version", line.runtime_version);
  visit("arguments", line.arguments);
  visit("variant", line.variant);
  visit("shard", line.shard);
  visit("host", line.host);
  visit("program", line.program);
  visit("shuffled", line.shuffled);
  visit("shuffle_seed", line.shuffle_seed);
  visit("interrupted", line.interrupted);
  visit("passed", line.passed);
  visit("skipped", line.skipped);
  visit("results", line.results);
}

// The words of the format, in the order of ResultOutcome.
std::string_view WordFor(ResultOutcome outcome);

// Appends the line as JSON with its newline. Texts are made storable (history/text.h) and escaped (history/escaped.h).
void AppendLine(std::string& out, const ResultsLine& line);

}  // namespace flaky

#endif  // FLAKY_FORMATS_RESULTS_LINE_H_

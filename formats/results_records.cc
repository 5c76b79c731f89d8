// SPDX-License-Identifier: MIT
#include "formats/results_records.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "history/early_end.h"
#include "history/merge.h"
#include "history/roster.h"

namespace flaky {
namespace {

struct Tally {
  RosterEntry runs;
  int64_t attempts = 0;
  bool passed = false;
  bool failed = false;

  void Add(ResultOutcome outcome) {
    ++attempts;
    ++(outcome == ResultOutcome::kSkipped ? runs.skipped : runs.executed);
    passed |= outcome == ResultOutcome::kPassed;
    failed |= outcome != ResultOutcome::kPassed && outcome != ResultOutcome::kSkipped;
  }
};

// Names and programs.
using TestKey = std::pair<std::string_view, std::string_view>;
using Tallies = std::map<TestKey, Tally>;

std::string_view ProgramOf(const Result& result, const ResultsLine& line) {
  if (result.program) return *result.program;
  return line.program ? std::string_view(*line.program) : std::string_view();
}

std::string_view KindOf(ResultOutcome outcome) {
  if (outcome == ResultOutcome::kTimedOut) return kTimeout;
  return outcome == ResultOutcome::kCrashed ? kUncaught : kAssertion;
}

bool HasSeveralPrograms(const Tallies& tallies, std::string_view name) {
  const auto first = tallies.lower_bound({name, {}});
  return first != tallies.end() && std::next(first) != tallies.end() && std::next(first)->first.first == name;
}

// A line is about something that is over, so without an `ended_at` the last moment that it names counts.
Timestamp EndOf(const ResultsLine& line) {
  if (line.ended_at) return *line.ended_at;
  int64_t micros = 0;
  Timestamp end = *line.started_at;
  for (const Result& result : line.results) {
    micros += result.duration ? result.duration->micros : 0;
    if (result.at) end = std::max(end, *result.at);
  }
  return std::max(end, *line.started_at + micros);
}

std::optional<std::string> EarlyEndOf(const ResultsLine& line) {
  if (!line.interrupted) return std::nullopt;
  const std::string_view text = *line.interrupted;
  EarlyEnd end{EarlyEnd::Cause::kInterrupted, "", line.program.value_or(""), line.interrupted};
  if (text == kEndNotKnown) {
    end.cause = EarlyEnd::Cause::kNotKnown;
    end.detail.reset();
  } else if (text.starts_with(kNotRecorded)) {
    end.cause = EarlyEnd::Cause::kUnrecorded;
    end.detail = text.substr(kNotRecorded.size());
  }
  return EarlyEndsText({end});
}

Failure FailureOf(const Result& result, const ResultsLine& line) {
  Failure failure;
  failure.part_id = line.part_id;
  failure.test_name = result.name;
  const std::string program(result.IsOutsideTests() ? result.name : ProgramOf(result, line));
  failure.test_file = result.file.value_or(program.empty() ? "" : '[' + program + ']');
  failure.failure_kind = KindOf(result.outcome);
  failure.error_message = result.message;
  failure.error_stack = result.stack;
  if (result.duration) failure.duration_ms = (result.duration->micros + 500) / 1000;
  failure.failed_at = result.at.value_or(*line.started_at);
  failure.line = result.line;
  failure.shuffle_seed = result.shuffle_seed ? result.shuffle_seed : line.shuffle_seed;
  failure.preceding_test = result.preceding_test;
  failure.signal = result.signal;
  return failure;
}

// Counts the fields that the data model cannot hold.
void CountNotKept(const ResultsLine& line, LeftOutCounts& not_kept) {
  const auto count = [&](bool given, const char* what) {
    if (given) ++not_kept[what];
  };
  const auto any = [&](auto has) { return std::ranges::any_of(line.results, has); };
  count(line.host.has_value(), "host");
  count(line.commit_time.has_value(), "commit_time");
  count(line.shuffled.has_value(), "shuffled");
  count(line.shuffle_seed && std::ranges::none_of(line.results, &Result::IsFailure), "shuffle_seed");
  count(line.program || any([](const Result& result) { return result.program.has_value(); }), "program");
  count(any([](const Result& result) { return result.parameter.has_value(); }), "parameter");
  count(any([](const Result& result) { return result.duration && !result.IsFailure(); }),
        "duration_ms of what did not fail");
}

Run RunOf(const ResultsLine& line) {
  Run run;
  run.run_id = line.run_id;
  run.project = line.project;
  run.git_sha = line.git_sha;
  run.git_dirty = line.git_dirty;
  run.tree_sha = line.tree_sha;
  run.branch = line.branch;
  run.runtime_version = line.runtime_version;
  run.test_args = line.arguments;
  run.ci_url = line.ci_url;
  return run;
}

}  // namespace

RunRecord RecordOf(const ResultsLine& line, LeftOutCounts& not_kept) {
  CountNotKept(line, not_kept);
  RunRecord record;
  record.run = RunOf(line);
  Tallies tallies;
  const std::string_view program = line.program ? std::string_view(*line.program) : std::string_view();
  for (const std::string& name : line.passed) tallies[{name, program}].Add(ResultOutcome::kPassed);
  for (const std::string& name : line.skipped) tallies[{name, program}].Add(ResultOutcome::kSkipped);
  int64_t errors = 0;
  std::vector<const Result*> failed;
  for (const Result& result : line.results) {
    std::optional<int64_t> attempt;
    if (result.IsOutsideTests()) {
      ++errors;
    } else {
      Tally& tally = tallies[{result.name, ProgramOf(result, line)}];
      attempt = tally.attempts;
      tally.Add(result.outcome);
    }
    if (!result.IsFailure()) continue;
    record.failures.push_back(FailureOf(result, line));
    record.failures.back().attempt = attempt;
    failed.push_back(&result);
  }

  Part part;
  part.part_id = *line.part_id;
  part.variant = line.variant;
  part.shard = line.shard;
  part.ended_early = EarlyEndOf(line);
  Account& account = part.account;
  account.started_at = *line.started_at;
  account.ended_at = EndOf(line);
  account.duration_ms = (account.ended_at->micros - account.started_at.micros) / 1000;
  account.passed_tests = 0;
  account.failed_tests = 0;
  account.errors_between_tests = errors;
  RosterEntries roster;
  for (const auto& [test, tally] : tallies) {
    if (tally.failed) {
      ++*account.failed_tests;
    } else if (tally.passed) {
      ++*account.passed_tests;
    }
    std::string entry(test.first);
    if (HasSeveralPrograms(tallies, test.first)) entry.append(" [").append(test.second).append("]");
    roster.emplace_hint(roster.end(), std::move(entry), tally.runs);
  }
  account.total_tests = static_cast<int64_t>(tallies.size());
  if (*account.failed_tests > 0 || errors > 0) {
    account.status = kFail;
  } else if (!line.interrupted) {
    account.status = kPass;
  }
  for (size_t i = 0; i < failed.size(); ++i) {
    if (!HasSeveralPrograms(tallies, failed[i]->name)) continue;
    const std::string program_line = "in " + std::string(ProgramOf(*failed[i], line));
    std::optional<std::string>& stack = record.failures[i].error_stack;
    if (!stack) {
      stack = program_line;
    } else if (!stack->ends_with(program_line)) {
      *stack += '\n' + program_line;
    }
  }
  record.rosters.push_back(MakeRoster(roster));
  part.roster_id = record.rosters.front()->roster_id;
  record.parts.push_back(std::move(part));
  SumParts(record);
  return record;
}

}  // namespace flaky

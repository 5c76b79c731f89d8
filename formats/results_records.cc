// SPDX-License-Identifier: MIT
#include "formats/results_records.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "history/early_end.h"
#include "history/merge.h"
#include "history/part_tests.h"

namespace flaky {
namespace {

struct Tally {
  TestCounts counts;
  int64_t duration_us = 0;  // of the `measured` executions
  int64_t measured = 0;
  int64_t attempts = 0;
  bool passed = false;
  bool failed = false;

  void Add(ResultOutcome outcome, const std::optional<ResultDuration>& duration = {}) {
    ++attempts;
    if (outcome == ResultOutcome::kSkipped) {
      ++counts.skipped;
      return;
    }
    ++counts.executed;
    (outcome == ResultOutcome::kPassed ? passed : failed) = true;
    if (!duration) return;
    duration_us += duration->micros;
    ++measured;
  }
  std::optional<int64_t> MeanDuration() const {
    if (measured == 0) return std::nullopt;
    return (duration_us + measured / 2) / measured;
  }
};

// Programs and names.
using TestKey = std::pair<std::string_view, std::string_view>;
using Tallies = std::map<TestKey, Tally>;

std::string_view ProgramOf(const Result& result, const ResultsLine& line) {
  if (result.program) return *result.program;
  return line.program ? std::string_view(*line.program) : std::string_view();
}

// A program may be given a seed and not shuffle its tests.
std::optional<int64_t> ShuffleSeedOf(const ResultsLine& line) {
  return line.shuffled.value_or(true) ? line.shuffle_seed : std::nullopt;
}

std::string_view KindOf(ResultOutcome outcome) {
  if (outcome == ResultOutcome::kTimedOut) return kTimeout;
  return outcome == ResultOutcome::kCrashed ? kUncaught : kAssertion;
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
  std::string program(ProgramOf(result, line));
  if (!program.empty()) failure.program = program;
  if (program.empty() && result.IsOutsideTests()) program = result.name;
  failure.test_file = result.file.value_or(program.empty() ? "" : '[' + program + ']');
  failure.failure_kind = KindOf(result.outcome);
  failure.error_message = result.message;
  failure.error_stack = result.stack;
  if (result.duration) failure.duration_ms = (result.duration->micros + 500) / 1000;
  failure.failed_at = result.at.value_or(*line.started_at);
  failure.line = result.line;
  failure.shuffle_seed = result.shuffle_seed ? result.shuffle_seed : ShuffleSeedOf(line);
  failure.parameter = result.parameter;
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
  count(line.shuffled == true && !line.shuffle_seed, "shuffled without shuffle_seed");
  count(line.shuffled == false && line.shuffle_seed, "shuffle_seed of what was not shuffled");
  count(any([](const Result& result) { return result.parameter && !result.IsFailure(); }),
        "parameter of what did not fail");
  count(any([](const Result& result) { return result.duration && result.outcome == ResultOutcome::kSkipped; }),
        "duration_ms of what was skipped");
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
  run.commit_at = line.commit_time;
  return run;
}

// Sets the part's tests and their counts. Returns its roster and lists.
std::vector<RosterPtr> SetTests(Part& part, const Tallies& tallies) {
  Account& account = part.account;
  account.total_tests = static_cast<int64_t>(tallies.size());
  account.passed_tests = 0;
  account.failed_tests = 0;
  PartTests tests;
  auto program = tests.end();
  for (const auto& [key, tally] : tallies) {
    if (tally.failed) {
      ++*account.failed_tests;
    } else if (tally.passed) {
      ++*account.passed_tests;
    }
    if (program == tests.end() || program->first != key.first) {
      program = tests.emplace_hint(tests.end(), key.first, ProgramTests());
    }
    program->second.emplace_hint(program->second.end(), key.second, PartTest{tally.counts, tally.MeanDuration()});
  }
  return SetPartTests(part, tests);
}

}  // namespace

RunRecord RecordOf(const ResultsLine& line, LeftOutCounts& not_kept) {
  CountNotKept(line, not_kept);
  RunRecord record;
  record.run = RunOf(line);
  Tallies tallies;
  const std::string_view program = line.program ? std::string_view(*line.program) : std::string_view();
  for (const std::string& name : line.passed) tallies[{program, name}].Add(ResultOutcome::kPassed);
  for (const std::string& name : line.skipped) tallies[{program, name}].Add(ResultOutcome::kSkipped);
  int64_t errors = 0;
  for (const Result& result : line.results) {
    std::optional<int64_t> attempt;
    if (result.IsOutsideTests()) {
      ++errors;
    } else {
      Tally& tally = tallies[{ProgramOf(result, line), result.name}];
      attempt = tally.attempts;
      tally.Add(result.outcome, result.duration);
    }
    if (!result.IsFailure()) continue;
    record.failures.push_back(FailureOf(result, line));
    record.failures.back().attempt = attempt;
  }

  Part part;
  part.part_id = *line.part_id;
  part.variant = line.variant;
  part.shard = line.shard;
  part.host = line.host;
  part.shuffle_seed = ShuffleSeedOf(line);
  part.ended_early = EarlyEndOf(line);
  Account& account = part.account;
  account.started_at = *line.started_at;
  account.ended_at = EndOf(line);
  account.duration_ms = (account.ended_at->micros - account.started_at.micros) / 1000;
  account.errors_between_tests = errors;
  record.rosters = SetTests(part, tallies);
  if (*account.failed_tests > 0 || errors > 0) {
    account.status = kFail;
  } else if (!line.interrupted) {
    account.status = kPass;
  }
  record.parts.push_back(std::move(part));
  SumParts(record);
  return record;
}

}  // namespace flaky

// SPDX-License-Identifier: MIT
#include "analysis/record_evidence.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "analysis/left_out.h"
#include "history/part_tests.h"
#include "history/roster.h"

namespace flaky {
namespace {

std::string_view Text(const std::optional<std::string>& text) {
  return text ? std::string_view(*text) : std::string_view();
}

// The program does not say whether a part was shuffled unless a test failed in it; its arguments do.
bool IsShuffledBy(std::string_view arguments) {
  constexpr std::string_view kFlag = "--gtest_shuffle";
  const size_t at = arguments.find(kFlag);
  if (at == arguments.npos) return false;
  const std::string_view rest = arguments.substr(at + kFlag.size());
  return !rest.starts_with("=0") && !rest.starts_with("=f");
}

RunEvidence EvidenceOf(const Run& run) {
  RunEvidence evidence{.run_id = run.run_id, .code = {}};
  evidence.code.tree = Text(run.tree_sha);
  evidence.code.commit = Text(run.git_sha);
  evidence.code.edited_tree = Text(run.edited_tree);
  evidence.code.dirty = run.git_dirty.value_or(false);
  evidence.code.commit_time = run.commit_at;
  evidence.code.merge_base = Text(run.merge_base);
  evidence.code.branch = Text(run.branch);
  return evidence;
}

// How many tests were executed, according to the counts of a run or part.
int64_t ExecutedTests(const Account& account) {
  const int64_t counted = account.passed_tests.value_or(0) + account.failed_tests.value_or(0);
  return account.passed_tests ? counted : account.total_tests.value_or(counted);
}

// A test of a known program is identified by it. The rows of another tool have only a file.
TestIdentity IdentityOf(const Failure& failure, std::string_view name) {
  const bool needs_file = !failure.program && !failure.part_id;
  return {.program = failure.program.value_or(""),
          .file = needs_file && name == failure.test_name ? failure.test_file : "",
          .name = std::string(name)};
}

// Returns true if both are ranks of one MPI program.
bool IsSameExecution(const Part& a, const Part& b) {
  return a.rank && b.rank && a.variant == b.variant && a.shard == b.shard && a.roster_id == b.roster_id;
}

const Part* FirstRank(std::span<const Part> parts, const Part& part) {
  return &*std::ranges::find_if(parts, [&](const Part& other) { return IsSameExecution(part, other); });
}

uint32_t Limited(int64_t count) { return static_cast<uint32_t>(std::clamp<int64_t>(count, 0, UINT32_MAX)); }

}  // namespace

int64_t PartReading::ExecutionsOf(TestId test) const {
  int64_t failed = 0;
  for (const FailedAttempt& attempt : evidence.failures) failed += attempt.test == test ? 1 : 0;
  for (const Executions& other : evidence.other_executions) {
    if (other.test == test) return std::max<int64_t>(other.count, failed);
  }
  const bool executed = evidence.roster != kNoIndex && judge.IsInRoster(evidence.roster, test);
  return std::max<int64_t>(executed ? evidence.repetitions : 0, failed);
}

std::string_view EvidenceReader::FileOf(TestId test) const {
  if (test >= file_of_.size() || file_of_[test] == kNoIndex) return {};
  return files_[file_of_[test]];
}

void EvidenceReader::Add(const RunRecord& record) {
  ++counts_.runs;
  const auto is_of_test = [](const Failure& failure) { return !IsOutsideTests(failure); };
  const bool failed = std::ranges::any_of(record.failures, is_of_test);
  counts_.outside_tests +=
      static_cast<int64_t>(record.failures.size()) - std::ranges::count_if(record.failures, is_of_test);
  if (!failed && ExecutedTests(record.run.account) == 0) {
    ++counts_.without_tests;
    return;
  }
  const RunIndex run = judge_.AddRun(EvidenceOf(record.run));
  std::vector<const Failure*> failures;
  failures.reserve(record.failures.size());
  for (const Failure& failure : record.failures) failures.push_back(&failure);
  if (record.parts.empty()) {
    ++counts_.without_roster;
    if (!record.run.account.ended_at) ++counts_.interrupted;
    AddPart(record, run, nullptr, nullptr, failures);
    return;
  }
  const auto part_id = [](const Failure* failure) { return Text(failure->part_id); };
  if (record.parts.size() > 1) std::ranges::stable_sort(failures, {}, part_id);
  bool has_all_rosters = true;
  bool interrupted = false;
  std::vector<const Failure*> of_ranks;
  for (const Part& part : record.parts) {
    interrupted = interrupted || part.ended_early || !part.account.ended_at;
    const auto failures_of = [&](const Part& one) {
      const std::string_view id = one.part_id;
      return std::span<const Failure* const>(std::ranges::lower_bound(failures, id, {}, part_id),
                                             std::ranges::upper_bound(failures, id, {}, part_id));
    };
    std::span<const Failure* const> span = failures_of(part);
    if (part.rank) {
      // All ranks execute each test together. So a test that fails in several of them failed once.
      if (FirstRank(record.parts, part) != &part) continue;
      of_ranks.clear();
      for (const Part& other : record.parts) {
        if (IsSameExecution(part, other)) std::ranges::copy(failures_of(other), std::back_inserter(of_ranks));
      }
      span = of_ranks;
    }
    const RosterReading* const roster = ReadRoster(record, part);
    const bool shows_nothing =
        std::ranges::none_of(span, [&](const Failure* failure) { return is_of_test(*failure); }) &&
        ExecutedTests(part.account) == 0;
    if (roster == nullptr && shows_nothing) continue;  // of a command that ran test programs, for example
    has_all_rosters = has_all_rosters && roster != nullptr;
    AddPart(record, run, &part, roster, span);
  }
  if (!has_all_rosters) ++counts_.without_roster;
  if (interrupted) ++counts_.interrupted;
}

void EvidenceReader::AddPart(const RunRecord& record, RunIndex run, const Part* part, const RosterReading* roster,
                             std::span<const Failure* const> failures) {
  const Account& account = part == nullptr ? record.run.account : part->account;
  CollectFailures(failures);
  PartEvidence evidence;
  evidence.run = run;
  evidence.started_at = account.started_at;
  evidence.interrupted = !account.ended_at;
  if (part != nullptr) {
    evidence.part_id = part->part_id;
    evidence.variant = Text(part->variant);
    evidence.shard = Text(part->shard);
    evidence.host = Text(part->host);
    shuffled_ = shuffled_ || part->shuffle_seed;
    evidence.interrupted = evidence.interrupted || part->ended_early.has_value();
  }
  evidence.shuffled = shuffled_ || IsShuffledBy(Text(record.run.test_args));
  if (roster != nullptr && CountExecutions(*part, *roster)) {
    evidence.roster = roster->id;
    evidence.repetitions = repetitions_;
    evidence.other_executions = others_;
  } else {
    evidence.executed_tests = ExecutedTests(account);
  }
  evidence.failures = failed_;
  judge_.AddPart(evidence);
  if (observer_) observer_({record, part, evidence, failures_, judge_});
}

bool EvidenceReader::CountExecutions(const Part& part, const RosterReading& roster) {
  repetitions_ = 1;
  others_.clear();
  if (!part.executions) return true;
  std::map<size_t, TestCounts> counts;
  try {
    counts = ParseExecutions(*part.executions);
  } catch (const std::invalid_argument&) {
    return false;
  }
  // With --gtest_repeat, most of the tests were executed as often as that says.
  std::map<int64_t, size_t> tests = {{1, roster.executed}};
  for (const auto& [place, count] : counts) {
    if (count.executed == 0) continue;
    --tests[1];
    ++tests[count.executed];
  }
  const auto fewer = [](const auto& a, const auto& b) { return a.second < b.second; };
  const int64_t most = std::max_element(tests.begin(), tests.end(), fewer)->first;
  repetitions_ = Limited(most);
  if (most != 1) {
    for (size_t place = 0; place < roster.tests.size(); ++place) {
      if (!counts.contains(place)) others_.push_back({roster.tests[place], 1});
    }
  }
  for (const auto& [place, count] : counts) {
    if (count.executed == most || count.executed == 0 || place >= roster.tests.size()) continue;
    others_.push_back({roster.tests[place], Limited(count.executed)});
  }
  return true;
}

const EvidenceReader::RosterReading* EvidenceReader::ReadRoster(const RunRecord& record, const Part& part) {
  if (!part.roster_id) return nullptr;
  const auto [known, is_new] = rosters_.try_emplace(*part.roster_id);
  RosterReading& reading = known->second;
  if (!is_new) return reading.id == kNoIndex ? nullptr : &reading;
  const Roster* const roster = FindRoster(record.rosters, *part.roster_id);
  if (roster == nullptr) {
    rosters_.erase(known);  // the next record may have it
    return nullptr;
  }
  try {
    std::vector<TestId> executed;
    for (RosterTest& test : TestsOf(*roster, record.rosters)) {
      reading.tests.push_back(
          judge_.AddTest({.program = std::move(test.program), .file = "", .name = std::move(test.name)}));
      if (test.executed) executed.push_back(reading.tests.back());
    }
    reading.executed = executed.size();
    reading.id = judge_.AddRoster(executed);
    return &reading;
  } catch (const std::invalid_argument&) {  // a damaged roster says nothing
    return nullptr;
  }
}

void EvidenceReader::CollectFailures(std::span<const Failure* const> failures) {
  failures_.clear();
  attempts_.clear();
  failed_.clear();
  shuffled_ = false;
  for (const Failure* const failure : failures) {
    shuffled_ = shuffled_ || failure->shuffle_seed.has_value();
    if (IsOutsideTests(*failure)) continue;
    const TestId test = judge_.AddTest(IdentityOf(*failure, failure->test_name));
    failures_.push_back({failure, test});
    if (test >= file_of_.size()) file_of_.resize(test + 1, kNoIndex);
    const auto file = file_numbers_.find(failure->test_file);
    if (file != file_numbers_.end()) {
      file_of_[test] = file->second;
    } else {
      file_of_[test] = static_cast<uint32_t>(files_.size());
      file_numbers_.emplace(failure->test_file, file_of_[test]);
      files_.push_back(failure->test_file);
    }
    FailedAttempt failed{.test = test};
    if (failure->preceding_test) failed.preceding = judge_.AddTest(IdentityOf(*failure, *failure->preceding_test));
    failed.signal = failure->signal.has_value();
    failed.killed = failure->signal == "SIGKILL";
    attempts_.push_back({failed, failure->attempt.value_or(-1)});
  }
  // A test that has several failures in one attempt failed once.
  std::ranges::stable_sort(attempts_, {},
                           [](const Attempt& attempt) { return std::tuple(attempt.failed.test, attempt.number); });
  for (size_t i = 0; i < attempts_.size(); ++i) {
    const Attempt& attempt = attempts_[i];
    if (i > 0 && attempts_[i - 1].failed.test == attempt.failed.test && attempts_[i - 1].number == attempt.number) {
      FailedAttempt& same = failed_.back();
      same.signal = same.signal || attempt.failed.signal;
      same.killed = same.killed || attempt.failed.killed;
      if (same.preceding == kNoIndex) same.preceding = attempt.failed.preceding;
    } else {
      failed_.push_back(attempt.failed);
    }
  }
}

}  // namespace flaky

// SPDX-License-Identifier: MIT
#include "analysis/record_evidence.h"

#include <algorithm>
#include <stdexcept>
#include <tuple>

#include "analysis/left_out.h"
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
  evidence.code.dirty = run.git_dirty.value_or(false);
  evidence.code.branch = Text(run.branch);
  return evidence;
}

// How many tests were executed, according to the counts of a run or part.
int64_t ExecutedTests(const Account& account) {
  const int64_t counted = account.passed_tests.value_or(0) + account.failed_tests.value_or(0);
  return account.passed_tests ? counted : account.total_tests.value_or(counted);
}

// Returns how often most of the tests were executed.
uint32_t MostCommon(const RosterEntries& entries) {
  std::map<int64_t, size_t> tests;
  for (const auto& [name, entry] : entries) {
    if (entry.executed > 0) ++tests[entry.executed];
  }
  const auto most =
      std::max_element(tests.begin(), tests.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == tests.end() ? 1 : static_cast<uint32_t>(std::min<int64_t>(most->first, UINT32_MAX));
}

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
  for (const Part& part : record.parts) {
    interrupted = interrupted || part.ended_early || !part.account.ended_at;
    const auto own = std::ranges::equal_range(failures, std::string_view(part.part_id), {}, part_id);
    const std::span<const Failure* const> span(own.begin(), own.end());
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
  CollectFailures(failures, part != nullptr, roster);
  PartEvidence evidence;
  evidence.run = run;
  evidence.started_at = account.started_at;
  evidence.interrupted = !account.ended_at;
  if (part != nullptr) {
    evidence.part_id = part->part_id;
    evidence.variant = Text(part->variant);
    evidence.shard = Text(part->shard);
    evidence.interrupted = evidence.interrupted || part->ended_early.has_value();
  }
  evidence.shuffled = shuffled_ || IsShuffledBy(Text(record.run.test_args));
  if (roster != nullptr) {
    evidence.roster = roster->id;
    evidence.repetitions = roster->repetitions;
    evidence.other_executions = roster->others;
  } else {
    evidence.executed_tests = ExecutedTests(account);
  }
  evidence.failures = failed_;
  judge_.AddPart(evidence);
  if (observer_) observer_({record, part, evidence, failures_, judge_});
}

const EvidenceReader::RosterReading* EvidenceReader::ReadRoster(const RunRecord& record, const Part& part) {
  if (!part.roster_id) return nullptr;
  const auto [known, is_new] = rosters_.try_emplace(*part.roster_id);
  RosterReading& reading = known->second;
  if (!is_new) return reading.id == kNoIndex ? nullptr : &reading;
  const auto found = std::ranges::find(record.rosters, *part.roster_id,
                                       [](const RosterPtr& roster) { return std::string_view(roster->roster_id); });
  if (found == record.rosters.end()) {
    rosters_.erase(known);  // the next record may have it
    return nullptr;
  }
  try {
    const RosterEntries entries = ParseRoster((*found)->tests);
    std::vector<TestId> tests;
    reading.repetitions = MostCommon(entries);
    for (const auto& [name, entry] : entries) {
      if (entry.executed == 0) continue;
      const size_t file = name.find(" (");
      TestIdentity identity;
      identity.name = name.substr(0, file);
      if (file != name.npos && name.ends_with(')')) {
        identity.file = name.substr(file + 2, name.size() - file - 3);
        reading.with_file.insert(name);
      }
      tests.push_back(judge_.AddTest(identity));
      if (entry.executed == reading.repetitions) continue;
      reading.others.push_back({tests.back(), static_cast<uint32_t>(std::min<int64_t>(entry.executed, UINT32_MAX))});
    }
    reading.id = judge_.AddRoster(tests);
    return &reading;
  } catch (const std::invalid_argument&) {  // a damaged roster says nothing
    return nullptr;
  }
}

TestId EvidenceReader::TestOf(std::string_view name, std::string_view file, bool has_part,
                              const RosterReading* roster) {
  const bool needs_file = !has_part || (roster != nullptr && !roster->with_file.empty() &&
                                        roster->with_file.contains(RosterName(name, file)));
  return judge_.AddTest({.program = "", .file = needs_file ? std::string(file) : "", .name = std::string(name)});
}

void EvidenceReader::CollectFailures(std::span<const Failure* const> failures, bool has_part,
                                     const RosterReading* roster) {
  failures_.clear();
  attempts_.clear();
  failed_.clear();
  shuffled_ = false;
  for (const Failure* const failure : failures) {
    shuffled_ = shuffled_ || failure->shuffle_seed.has_value();
    if (IsOutsideTests(*failure)) continue;
    const TestId test = TestOf(failure->test_name, failure->test_file, has_part, roster);
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
    if (failure->preceding_test) failed.preceding = TestOf(*failure->preceding_test, "", has_part, roster);
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

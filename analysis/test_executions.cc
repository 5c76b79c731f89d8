// SPDX-License-Identifier: MIT
#include "analysis/test_executions.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "analysis/left_out.h"
#include "analysis/run_filters.h"
#include "history/part_tests.h"
#include "history/roster.h"

namespace flaky {

namespace {

// Returns how often a part executed the tests that match, given what its roster says.
int64_t ExecutedIn(const Part& part, int64_t usually, const std::vector<char>& counts) {
  if (!part.executions) return usually;
  int64_t executed = usually;
  for (const auto& [place, test] : ParseExecutions(*part.executions)) {
    if (place >= counts.size() || counts[place] == 0) continue;
    executed += test.executed - (counts[place] == kExecutedMark ? 1 : 0);
  }
  return executed;
}

}  // namespace

TestExecutions ExecutionCounter::Count(const RunRecord& record) {
  TestExecutions counted;
  counted.is_known = !record.parts.empty();
  for (const Part& part : record.parts) {
    const Roster* const roster = part.roster_id ? FindRoster(record.rosters, *part.roster_id) : nullptr;
    if (roster == nullptr) {
      if (part.account.total_tests != 0) counted.is_known = false;
      continue;
    }
    try {
      const Matching& matching = MatchingIn(*roster, record.rosters);
      counted.executed += ExecutedIn(part, matching.executed, matching.counts);
    } catch (const std::invalid_argument&) {  // a damaged text says nothing
      counted.is_known = false;
    }
  }
  // One execution may have several failures.
  std::set<std::tuple<std::string_view, std::string_view, std::string_view, std::string_view, int64_t>> failed;
  for (const Failure& failure : record.failures) {
    if (IsOutsideTests(failure) || !Matches(failure.test_name)) continue;
    const auto text = [](const std::optional<std::string>& id) {
      return id ? std::string_view(*id) : std::string_view();
    };
    failed.emplace(text(failure.part_id), text(failure.program), failure.test_file, failure.test_name,
                   failure.attempt.value_or(0));
  }
  counted.failed = static_cast<int64_t>(failed.size());
  counted.executed = std::max(counted.executed, counted.failed);
  return counted;
}

bool ExecutionCounter::Matches(std::string_view name) {
  const auto known = tests_.find(name);
  if (known != tests_.end()) return known->second;
  return tests_.emplace(name, MatchesPattern(name, pattern_)).first->second;
}

std::set<std::string> ExecutionCounter::names() const {
  std::set<std::string> names;
  for (const auto& [name, matches] : tests_) names.insert(names.end(), name);
  return names;
}

std::set<std::string> ExecutionCounter::matched() const {
  std::set<std::string> names;
  for (const auto& [name, matches] : tests_) {
    if (matches) names.insert(names.end(), name);
  }
  return names;
}

const ExecutionCounter::Matching& ExecutionCounter::MatchingIn(const Roster& roster,
                                                               std::span<const RosterPtr> rosters) {
  const auto known = by_roster_.find(roster.roster_id);
  if (known != by_roster_.end()) return known->second;
  Matching matching;
  for (const RosterTest& test : TestsOf(roster, rosters)) {
    const bool matches = Matches(test.name);
    matching.counts.push_back(!matches ? '\0' : test.executed ? kExecutedMark : kSkippedMark);
    if (matches && test.executed) ++matching.executed;
  }
  return by_roster_.emplace(roster.roster_id, std::move(matching)).first->second;
}

}  // namespace flaky

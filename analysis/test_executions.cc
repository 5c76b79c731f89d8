// SPDX-License-Identifier: MIT
#include "analysis/test_executions.h"

#include <algorithm>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "analysis/left_out.h"
#include "analysis/run_filters.h"
#include "history/roster.h"

namespace flaky {

std::string_view TestNameOf(std::string_view roster_entry) {
  return roster_entry.substr(0, std::min(roster_entry.find(" ("), roster_entry.find(" [")));
}

TestExecutions ExecutionCounter::Count(const RunRecord& record) {
  TestExecutions counted;
  std::map<std::string_view, const Roster*> rosters;
  for (const RosterPtr& roster : record.rosters) rosters.emplace(roster->roster_id, roster.get());
  counted.is_known = !record.parts.empty();
  for (const Part& part : record.parts) {
    const auto roster = part.roster_id ? rosters.find(*part.roster_id) : rosters.end();
    if (roster == rosters.end()) {
      if (part.account.total_tests != 0) counted.is_known = false;
      continue;
    }
    for (const auto& [name, executions] : MatchingIn(*roster->second)) {
      counted.executed += executions;
      counted.tests.insert(name);
    }
  }
  // One execution may have several failures.
  std::set<std::tuple<std::string, std::string, std::string, int64_t>> failed;
  for (const Failure& failure : record.failures) {
    if (IsOutsideTests(failure)) continue;
    names_.insert(failure.test_name);
    if (!MatchesPattern(failure.test_name, pattern_)) continue;
    failed.emplace(failure.part_id.value_or(""), failure.test_file, failure.test_name, failure.attempt.value_or(0));
    counted.tests.insert(failure.test_name);
  }
  counted.failed = static_cast<int64_t>(failed.size());
  counted.executed = std::max(counted.executed, counted.failed);
  return counted;
}

const ExecutionCounter::Matching& ExecutionCounter::MatchingIn(const Roster& roster) {
  const auto [known, is_new] = by_roster_.try_emplace(roster.roster_id);
  if (!is_new) return known->second;
  try {
    for (const auto& [entry, count] : ParseRoster(roster.tests)) {
      const std::string name(TestNameOf(entry));
      if (MatchesPattern(name, pattern_)) known->second[name] += count.executed;
      names_.insert(name);
    }
  } catch (const std::invalid_argument&) {  // a damaged roster says nothing
  }
  return known->second;
}

}  // namespace flaky

// SPDX-License-Identifier: MIT
#include "analysis/test_executions.h"

#include <algorithm>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "analysis/left_out.h"
#include "analysis/run_filters.h"
#include "history/part_tests.h"
#include "history/roster.h"

namespace flaky {

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
    CountPart(part, MatchingIn(*roster->second, record.rosters), counted);
  }
  // One execution may have several failures.
  std::set<std::tuple<std::string, std::string, std::string, std::string, int64_t>> failed;
  for (const Failure& failure : record.failures) {
    if (IsOutsideTests(failure)) continue;
    names_.insert(failure.test_name);
    if (!MatchesPattern(failure.test_name, pattern_)) continue;
    failed.emplace(failure.part_id.value_or(""), failure.program.value_or(""), failure.test_file, failure.test_name,
                   failure.attempt.value_or(0));
    counted.tests.insert(failure.test_name);
  }
  counted.failed = static_cast<int64_t>(failed.size());
  counted.executed = std::max(counted.executed, counted.failed);
  return counted;
}

void ExecutionCounter::CountPart(const Part& part, const Matching& matching, TestExecutions& counted) {
  std::map<size_t, TestCounts> others;
  try {
    if (part.executions) others = ParseExecutions(*part.executions);
  } catch (const std::invalid_argument&) {
    counted.is_known = false;
    return;
  }
  for (const MatchingTest& test : matching) {
    const auto other = others.find(test.place);
    counted.executed += other != others.end() ? other->second.executed : test.executed ? 1 : 0;
    counted.tests.insert(test.name);
  }
}

const ExecutionCounter::Matching& ExecutionCounter::MatchingIn(const Roster& roster,
                                                               std::span<const RosterPtr> rosters) {
  const auto [known, is_new] = by_roster_.try_emplace(roster.roster_id);
  if (!is_new) return known->second;
  try {
    const std::vector<RosterTest> tests = TestsOf(roster, rosters);
    for (size_t place = 0; place < tests.size(); ++place) {
      const std::string& name = tests[place].name;
      if (MatchesPattern(name, pattern_)) known->second.push_back({place, name, tests[place].executed});
      names_.insert(name);
    }
  } catch (const std::invalid_argument&) {  // a damaged roster says nothing
  }
  return known->second;
}

}  // namespace flaky

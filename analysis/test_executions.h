// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_TEST_EXECUTIONS_H_
#define FLAKY_ANALYSIS_TEST_EXECUTIONS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "history/run.h"

namespace flaky {

// The executions of some tests in one run.
struct TestExecutions {
  int64_t executed = 0;
  int64_t failed = 0;    // of these
  bool is_known = true;  // false: a part does not say which tests it executed
};

// Counts how often the tests whose names match a pattern (MatchesPattern in analysis/run_filters.h) were executed,
// according to the rosters. Looks at each roster and each name once, because runs share them.
class ExecutionCounter {
 public:
  explicit ExecutionCounter(std::string pattern) : pattern_(std::move(pattern)) {}

  TestExecutions Count(const RunRecord& record);

  // Returns true if the test's name matches the pattern. Notes the name.
  bool Matches(std::string_view name);

  // Return the names of all tests in the records that were counted, and of those that match.
  std::set<std::string> names() const;
  std::set<std::string> matched() const;

 private:
  // What a roster says about the tests that match.
  struct Matching {
    int64_t executed = 0;      // if each test was executed once
    std::vector<char> counts;  // by the place of the test in the roster: a mark of history/roster.h; 0: no match
  };
  const Matching& MatchingIn(const Roster& roster, std::span<const RosterPtr> rosters);

  const std::string pattern_;
  std::unordered_map<std::string, Matching> by_roster_;
  std::map<std::string, bool, std::less<>> tests_;  // whether it matches, by name
};

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_TEST_EXECUTIONS_H_

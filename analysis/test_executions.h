// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_TEST_EXECUTIONS_H_
#define FLAKY_ANALYSIS_TEST_EXECUTIONS_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "history/run.h"

namespace flaky {

// The executions of some tests in one run.
struct TestExecutions {
  int64_t executed = 0;
  int64_t failed = 0;             // of these
  bool is_known = true;           // false: a part does not say which tests it executed
  std::set<std::string> tests{};  // that match, of those executed
};

// Counts how often the tests whose names match a pattern (MatchesPattern in analysis/run_filters.h) were executed,
// according to the rosters. Remembers each roster, because runs share them.
class ExecutionCounter {
 public:
  explicit ExecutionCounter(std::string pattern) : pattern_(std::move(pattern)) {}

  TestExecutions Count(const RunRecord& record);

  // Returns the names of all tests in the records that were counted.
  const std::set<std::string>& names() const { return names_; }

 private:
  using Matching = std::map<std::string, int64_t>;  // executions by the test's name
  const Matching& MatchingIn(const Roster& roster);

  const std::string pattern_;
  std::map<std::string, Matching> by_roster_;
  std::set<std::string> names_;
};

// Returns the test's name of an entry of a roster: without the file or program that tells equal names apart.
std::string_view TestNameOf(std::string_view roster_entry);

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_TEST_EXECUTIONS_H_

// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_TEST_EXECUTIONS_H_
#define FLAKY_ANALYSIS_TEST_EXECUTIONS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

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
  struct MatchingTest {
    size_t place = 0;  // in the roster
    std::string name;
    bool executed = false;
  };
  using Matching = std::vector<MatchingTest>;
  const Matching& MatchingIn(const Roster& roster, std::span<const RosterPtr> rosters);
  static void CountPart(const Part& part, const Matching& matching, TestExecutions& counted);

  const std::string pattern_;
  std::map<std::string, Matching> by_roster_;
  std::set<std::string> names_;
};

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_TEST_EXECUTIONS_H_

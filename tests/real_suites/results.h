// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_REAL_SUITES_RESULTS_H_
#define FLAKY_TESTS_REAL_SUITES_RESULTS_H_

#include <cstdint>
#include <map>
#include <ostream>
#include <set>
#include <string>

// The results of a test program according to three independent sources.
namespace flaky {

struct TestTally {
  int64_t executed = 0;
  int64_t skipped = 0;
  int64_t failed = 0;    // of the executed runs of the test
  int64_t failures = 0;  // reported assertions and exceptions
  bool operator==(const TestTally&) const = default;
};
std::ostream& operator<<(std::ostream& stream, const TestTally& tally);

struct Results {
  std::map<std::string, TestTally> tests;  // by Suite.Test
  int64_t between = 0;                     // failures outside of tests, after the first test began
  bool failed = false;                     // the program failed as a whole
};

// The results in the output of GoogleTest's printer. Tests that GoogleTest reported without running them count as
// skipped, because the printer does not distinguish them. `status`: of the process, as waitpid returns it.
struct Printed : Results {
  int iterations = 0;
};
Printed PrintedResults(const std::string& stdout_text, int status);

// The results that GoogleTest wrote for --gtest_output=json. They cover the last iteration, without the failures
// outside of tests.
struct Written : Results {
  std::set<std::string> not_run;  // reported as skipped but never started; not in `tests`
};
Written WrittenResults(const std::string& json);

// Returns the results of all runs in a history that `flaky export` has written.
Results HistoryResults(const std::string& jsonl);

}  // namespace flaky

#endif  // FLAKY_TESTS_REAL_SUITES_RESULTS_H_

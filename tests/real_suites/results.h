#ifndef FLAKY_TESTS_REAL_SUITES_RESULTS_H_
#define FLAKY_TESTS_REAL_SUITES_RESULTS_H_

#include <cstdint>
#include <map>
#include <ostream>
#include <set>
#include <string>

// What a test program did, by three accounts that know nothing of each other.
namespace flaky {

struct TestTally {
  int64_t executed = 0;
  int64_t skipped = 0;
  int64_t failed = 0;    // of the executed ones
  int64_t failures = 0;  // assertions and exceptions reported, and a death
  bool operator==(const TestTally&) const = default;
};
std::ostream& operator<<(std::ostream& stream, const TestTally& tally);

struct Results {
  std::map<std::string, TestTally> tests;  // by Suite.Test
  int64_t between = 0;                     // failures outside of tests, since the first began
  bool failed = false;                     // as a whole
};

// What GoogleTest's printer said. A test that it reported without running it is among the skipped ones: the printer
// tells no difference.
struct Printed : Results {
  int iterations = 0;
};
Printed PrintedResults(const std::string& stdout_text);

// What GoogleTest wrote for --gtest_output=json, of its last iteration. It knows nothing of failures outside of tests.
struct Written : Results {
  std::set<std::string> not_run;  // reported as skipped, but never begun; not among the tests
};
Written WrittenResults(const std::string& json);

// What the history has, all its runs together, as `flaky export` writes it.
Results HistoryResults(const std::string& jsonl);

}  // namespace flaky

#endif  // FLAKY_TESTS_REAL_SUITES_RESULTS_H_

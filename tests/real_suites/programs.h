#ifndef FLAKY_TESTS_REAL_SUITES_PROGRAMS_H_
#define FLAKY_TESTS_REAL_SUITES_PROGRAMS_H_

#include <ostream>
#include <string>
#include <vector>

namespace flaky {

// One way to run one of GoogleTest's test programs.
struct RealProgram {
  std::string name;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  bool runs_tests = true;  // false: no test is defined, or none runs
  bool prints = true;      // false: it does not use GoogleTest's printer
  int iterations = 1;      // how often it runs its tests; used only if `prints` is false
  bool threads = false;    // many threads print at once
};

std::ostream& operator<<(std::ostream& stream, const RealProgram& program);  // its command line

// Returns every program at least once. Those that GoogleTest's Python tests run are there with the flags of those
// tests.
std::vector<RealProgram> RealPrograms();

}  // namespace flaky

#endif  // FLAKY_TESTS_REAL_SUITES_PROGRAMS_H_

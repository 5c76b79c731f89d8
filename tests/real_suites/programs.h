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
  bool runs_tests = true;  // false: none is defined, or none comes to run
  bool prints = true;      // false: GoogleTest's printer is not at work in it
  int iterations = 1;      // how often it runs its tests, where it does not print
  bool threads = false;    // it prints from many threads at once
};

std::ostream& operator<<(std::ostream& stream, const RealProgram& program);  // its command line

// Every program at least once, and those that GoogleTest's Python tests drive with the flags that they are given there.
std::vector<RealProgram> RealPrograms();

}  // namespace flaky

#endif  // FLAKY_TESTS_REAL_SUITES_PROGRAMS_H_

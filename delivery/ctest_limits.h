// SPDX-License-Identifier: MIT
#ifndef FLAKY_DELIVERY_CTEST_LIMITS_H_
#define FLAKY_DELIVERY_CTEST_LIMITS_H_

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "spool/death_watch.h"

namespace flaky {

// Finds out how long a ctest lets its tests run. A running ctest does not report that, so another ctest is asked for
// the list of tests (`ctest --show-only=json-v1`), in the folder of the running one.
class CtestLimits : public TimeLimits {
 public:
  void Meet(const Journal& header) override;

  // Returns the limit of the test that has the process's command line, else the limit of all tests.
  std::optional<std::chrono::microseconds> Of(const Journal& header) override;

 private:
  struct Ctest {
    std::string program, folder;
    std::vector<std::string> arguments;
    bool asked = false;
    std::optional<std::chrono::microseconds> usual;
    std::map<std::vector<std::string>, std::chrono::microseconds> by_command;
  };
  static void Ask(Ctest& ctest);

  std::map<std::string, Ctest> met_;  // by pid and start
};

}  // namespace flaky

#endif  // FLAKY_DELIVERY_CTEST_LIMITS_H_

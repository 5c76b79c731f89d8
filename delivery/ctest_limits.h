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
  int64_t Meet(const Journal& header) override;

  // Returns the limit of the test whose command the process belongs to, else the limit of all tests.
  std::optional<std::chrono::microseconds> Of(const Journal& header) override;

 private:
  struct Ctest {
    std::string program, folder;
    std::vector<std::string> arguments;
    bool asked = false;
    std::optional<std::chrono::microseconds> usual;
    std::map<std::vector<std::string>, std::optional<std::chrono::microseconds>> by_command;  // nullopt: the usual one
  };
  // What a ctest started for a test: the test program, or a launcher of it.
  struct Command {
    std::string ctest;  // in ctests_
    std::vector<std::string> arguments;
  };
  static void Ask(Ctest& ctest);
  static std::optional<std::chrono::microseconds> LimitOf(const Ctest& ctest,
                                                          const std::vector<std::string>& arguments);

  std::map<std::string, Ctest> ctests_;      // by pid and start
  std::map<std::string, Command> commands_;  // by the id of the journal
};

}  // namespace flaky

#endif  // FLAKY_DELIVERY_CTEST_LIMITS_H_

// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_WITHIN_RUN_H_
#define FLAKY_ANALYSIS_WITHIN_RUN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "history/run.h"

namespace flaky {

// A test that both failed and passed within one run, which means on the same code. It was retried by
// `ctest --repeat until-pass`, by --gtest_repeat or by another tool.
struct FlakyWithinRun {
  std::string program;  // empty: unknown
  std::string test_file;
  std::string test_name;
  int64_t failed = 0;  // attempts
  int64_t passed = 0;

  bool operator==(const FlakyWithinRun&) const = default;
};

// Returns the flaky tests of a run, sorted by program, file and name. Attempts are added up over all parts of one
// variant, because a test that fails only under a sanitizer is not flaky. Passes come from rosters, so a run without
// rosters has none.
std::vector<FlakyWithinRun> FindFlakyWithin(const RunRecord& record);

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_WITHIN_RUN_H_

#ifndef FLAKY_ANALYSIS_WITHIN_RUN_H_
#define FLAKY_ANALYSIS_WITHIN_RUN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "history/run.h"

namespace flaky {

// A test that both failed and passed within one run, on the same code that is: it was tried again, by
// `ctest --repeat until-pass`, --gtest_repeat or whatever retries.
struct FlakyWithinRun {
  std::string test_file;
  std::string test_name;
  int64_t failed = 0;  // attempts
  int64_t passed = 0;

  bool operator==(const FlakyWithinRun&) const = default;
};

// The flaky tests of a run, by file and name. Attempts count together over all parts of one variant, for a test that
// fails under a sanitizer alone is not flaky. Passes come from rosters, so a run without them has none.
std::vector<FlakyWithinRun> FindFlakyWithin(const RunRecord& record);

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_WITHIN_RUN_H_

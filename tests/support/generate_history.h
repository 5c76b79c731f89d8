// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_SUPPORT_GENERATE_HISTORY_H_
#define FLAKY_TESTS_SUPPORT_GENERATE_HISTORY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "history/run.h"

namespace flaky {

// Describes the generated history. The same values give the same history on every machine.
struct HistoryShape {
  uint64_t seed = 1;
  int64_t runs = 1000;
  double failures_per_run = 3.0;  // on average; most runs have none, some have many
  int64_t days = 90;              // the runs begin in this number of days before `end`, in order
  Timestamp end{1'767'225'600 * kMicrosPerSecond};
  int64_t tests = 2000;      // in the suite; a few of them fail often
  size_t min_message = 200;  // bytes of a failure's message
  size_t max_message = 2000;
  // Each run executes a share of the tests between these two, each test by chance. 0: all tests that exist.
  double least_selected = 0.0, most_selected = 0.0;
  double npm_share = 0.0;  // fraction of the runs in the npm packages' form: without parts, rosters and our own columns
  std::vector<std::string> projects = {"engine", "tools", ""};  // "": no project; the first ones have more runs
};

// Generates the history's records one by one, oldest first. Its memory does not depend on the number of records.
class HistoryGenerator {
 public:
  explicit HistoryGenerator(const HistoryShape& shape);
  ~HistoryGenerator();

  // Returns the next record, or nullopt at the end.
  std::optional<RunRecord> Next();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Returns the whole history.
std::vector<RunRecord> GenerateHistory(const HistoryShape& shape);

}  // namespace flaky

#endif  // FLAKY_TESTS_SUPPORT_GENERATE_HISTORY_H_

#ifndef FLAKY_TESTS_SUPPORT_GENERATE_HISTORY_H_
#define FLAKY_TESTS_SUPPORT_GENERATE_HISTORY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "history/run.h"

namespace flaky {

// What the generated history looks like. The same options give the same history on every machine.
struct HistoryShape {
  uint64_t seed = 1;
  int64_t runs = 1000;
  double failures_per_run = 3.0;  // on average; most runs have none, some have many
  int64_t days = 90;              // the runs begin within so many days up to `end`, in order
  Timestamp end{1'767'225'600 * kMicrosPerSecond};
  int64_t tests = 2000;      // in the suite; a few of them fail often
  size_t min_message = 200;  // characters of a failure's message
  size_t max_message = 2000;
  double npm_share = 0.0;  // of runs in the npm packages' form: without parts, rosters and the columns of our own
  std::vector<std::string> projects = {"engine", "tools", ""};  // "": no project; the first ones have more runs
};

// Yields the history's records one by one, oldest first, in memory that does not depend on how many there are.
class HistoryGenerator {
 public:
  explicit HistoryGenerator(const HistoryShape& shape);
  ~HistoryGenerator();

  // The next record; absent at the end.
  std::optional<RunRecord> Next();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// All of it at once.
std::vector<RunRecord> GenerateHistory(const HistoryShape& shape);

}  // namespace flaky

#endif  // FLAKY_TESTS_SUPPORT_GENERATE_HISTORY_H_

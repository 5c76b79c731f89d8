// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_JOURNAL_RESULTS_H_
#define FLAKY_SPOOL_JOURNAL_RESULTS_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>

#include "spool/journal.h"

namespace flaky {

// The memory that the failures of one part may take, in bytes. When it is used up, later failures are counted, but only
// the first one of each test is kept, with the beginning of its message. This bounds the memory of a delivery.
class FailureBudget {
 public:
  static constexpr size_t kUsual = size_t{12} << 20;
  explicit FailureBudget(size_t bytes = kUsual) : left_(bytes) {}

  // Takes what the failure needs. Returns false if that is more than what is left.
  bool Take(const JournalFailure& failure);

 private:
  size_t left_;
};

// Collects the results of a journal, in order. Repeated results without failures, as those of `--gtest_repeat`, are
// counted in one result (JournalResult::executions). So the memory does not grow with the number of repeats.
class JournalResults {
 public:
  JournalResults(Journal& journal, FailureBudget& budget, std::optional<int64_t> shuffle_seed)
      : journal_(journal), budget_(budget), shuffle_seed_(shuffle_seed) {}

  void SetSourceFile(std::string file) { file_ = std::move(file); }
  // The test before the next result, if that test has no result in the journal.
  void SetPrecedingTest(std::string test) { unlisted_before_ = std::move(test); }
  // `counted`: a test without a result in this iteration passed, or was skipped if the first iteration skipped it.
  void BeginIteration(int64_t number, bool counted, std::optional<int64_t> shuffle_seed);

  // Returns a result of the current iteration.
  JournalResult Make() const;
  // Adds the failure to the result, which need not be added yet.
  void AddFailure(JournalResult& result, JournalFailure failure);
  void Add(JournalResult result);
  void AddSuiteFailure(std::string suite, JournalFailure failure);

  // Adds the counted results. Call it once, after the last line.
  void Finish();

 private:
  static constexpr size_t kNone = std::numeric_limits<size_t>::max();

  // One test of the process, once there is more than one iteration.
  struct Test {
    size_t last = kNone;         // its last result
    size_t last_failed = kNone;  // its last failed result
    size_t first = kNone;        // its result in the first iteration
    int64_t listed = 0;          // results in counted iterations
    int64_t listed_in = -1;      // the last iteration of these
    int64_t counted = 0;         // counted executions that were added
  };

  Test& TestOf(const JournalResult& result);
  void Index(size_t at, Test& test);
  // Returns the index of the result that now includes it.
  size_t Append(JournalResult result, Test* test);
  std::string PrecedingTest() const;
  // Adds the executions of the test in counted iterations that are not added yet. `us`: when the last one was, at most.
  void AddCounted(Test& test, int64_t us);

  Journal& journal_;
  FailureBudget& budget_;
  std::optional<int64_t> shuffle_seed_;
  std::string file_;
  std::string unlisted_before_;  // the preceding test, if it has no result
  size_t last_ = kNone;          // the last result
  size_t preceding_ = kNone;     // the last result of a test that ran
  int64_t iteration_ = 0;
  bool repeats_ = false;        // there was more than one iteration
  bool counted_ = false;        // the current iteration is
  int64_t counted_before_ = 0;  // counted iterations before the current one
  std::unordered_map<std::string, Test> tests_;
};

}  // namespace flaky

#endif  // FLAKY_SPOOL_JOURNAL_RESULTS_H_

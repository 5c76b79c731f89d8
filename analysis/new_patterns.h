// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_NEW_PATTERNS_H_
#define FLAKY_ANALYSIS_NEW_PATTERNS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "history/failure_view.h"
#include "history/time.h"

namespace flaky {

// The rule of the npm packages @flaky-tests/* 0.2, so that both tools agree on the same data. It considers the failures
// of one project in runs that ended and had fewer than ten failed tests, grouped by (test_file, test_name). With W the
// window, `recent` failures have failed_at > now - W, and `prior` failures have now - 2 W < failed_at <= now - W. A
// test is reported if recent >= threshold and prior = 0.
struct NewPatternRule {
  int64_t window_days = 7;
  int64_t threshold = 2;
  Timestamp now;

  static constexpr int64_t kTooManyFailedTests = 10;

  // Returns the time up to which failures do not matter. Ask a store only for later failures.
  Timestamp Horizon() const { return now - 2 * window_days * kMicrosPerDay; }
};

struct NewPattern {
  std::string test_file;
  std::string test_name;
  int64_t recent = 0;
  std::vector<std::string> kinds;           // distinct, sorted
  std::optional<std::string> last_message;  // the latest in the window that is not absent
  std::optional<std::string> last_stack;
  Timestamp last_failed_at;
};

// Takes failures in any order. Memory grows only with the number of distinct tests.
class NewPatternFinder {
 public:
  explicit NewPatternFinder(const NewPatternRule& rule);
  ~NewPatternFinder();

  void Add(const FailureView& failure);

  // Adds a failure whose texts were not loaded: an empty text means that the text exists, nullopt that it does not.
  void AddWithoutTexts(const FailureView& failure);
  // Returns the ids of the failures whose texts Find() would return.
  std::vector<FailureId> TextsWanted() const;
  // Adds the texts of one of these failures, in any order. A text that is never added counts as absent.
  void AddTexts(const FailureView& failure);

  // Returns the tests that the rule reports, those with the highest number of recent failures first, then by file and
  // name.
  std::vector<NewPattern> Find() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_NEW_PATTERNS_H_

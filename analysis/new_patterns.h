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

// The rule of the npm packages @flaky-tests/* 0.2, so that both tools agree on the same data. Over the failures of one
// project in runs that ended and had fewer than ten failed tests, by (test_file, test_name): with now the moment of the
// call and W the window, `recent` failures have failed_at > now - W, `prior` ones now - 2 W < failed_at <= now - W. A
// test is reported when recent >= threshold and prior = 0.
struct NewPatternRule {
  int64_t window_days = 7;
  int64_t threshold = 2;
  Timestamp now;

  static constexpr int64_t kTooManyFailedTests = 10;

  // Failures up to this moment do not matter: what to ask a store for.
  Timestamp Horizon() const { return now - 2 * window_days * kMicrosPerDay; }
};

struct NewPattern {
  std::string test_file;
  std::string test_name;
  int64_t recent = 0;
  std::vector<std::string> kinds;           // distinct, in order of text
  std::optional<std::string> last_message;  // the latest within the window that is not absent
  std::optional<std::string> last_stack;
  Timestamp last_failed_at;
};

// Takes failures in any order, in memory that grows with the number of distinct tests only.
class NewPatternFinder {
 public:
  explicit NewPatternFinder(const NewPatternRule& rule);
  ~NewPatternFinder();

  void Add(const FailureView& failure);

  // For stores that are asked without texts, where those that are empty but not absent stand for real ones: adds a
  // failure so; tells which failures' texts Find() would show; takes these, in any order. A text that never comes is as
  // good as absent.
  void AddWithoutTexts(const FailureView& failure);
  std::vector<int64_t> TextsWanted() const;
  void AddTexts(const FailureView& failure);

  // The tests that the rule reports, those with the most recent failures first; ties by file and name.
  std::vector<NewPattern> Find() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_NEW_PATTERNS_H_

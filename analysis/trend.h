// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_TREND_H_
#define FLAKY_ANALYSIS_TREND_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "history/time.h"

namespace flaky {

enum class TrendPeriod { kDay, kWeek };  // in UTC; weeks begin on Monday (ISO 8601)

struct TrendBucket {
  std::string date;  // the period's first day, YYYY-MM-DD
  int64_t runs = 0;  // that started in the period
  int64_t failed_runs = 0;
  int64_t failures = 0;       // of tests, that happened in the period
  int64_t failing_tests = 0;  // distinct test names of these failures
  int64_t outside_tests = 0;  // failures outside of tests (analysis/left_out.h) that happened in the period
  // Of the tests whose executions are counted, in the runs that started in the period.
  int64_t executed = 0;
  int64_t failed = 0;  // of these executions

  bool operator==(const TrendBucket&) const = default;
};

// Counts runs and failures by period between the times `first` and `last`, both inclusive, and ignores those at
// other times. So the first and the last period may be counted only in part.
class Trend {
 public:
  Trend(TrendPeriod period, Timestamp first, Timestamp last);

  void AddRun(Timestamp started_at, bool failed);
  void AddFailure(Timestamp failed_at, std::string_view test_name);
  void AddFailureOutsideTests(Timestamp failed_at);
  void AddExecutions(Timestamp started_at, int64_t executed, int64_t failed);

  // Returns one bucket for each period, also for empty ones, oldest first. Begins with the period of `begin` if that is
  // later than the first one.
  std::vector<TrendBucket> Buckets(std::optional<Timestamp> begin = std::nullopt) const;

 private:
  size_t IndexOf(Timestamp at) const;  // kOutside if it is outside all periods

  static constexpr size_t kOutside = static_cast<size_t>(-1);
  int64_t length_;     // of a period, in days
  int64_t first_day_;  // since 1970-01-01
  Timestamp first_;
  Timestamp last_;
  std::vector<TrendBucket> buckets_;
  std::vector<std::set<std::string, std::less<>>> tests_;  // one set for each bucket
};

// Returns one block character for each value, in eight heights scaled to the greatest value. A value of 0 is a blank.
std::string Sparkline(const std::vector<int64_t>& values);

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_TREND_H_

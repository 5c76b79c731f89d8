// SPDX-License-Identifier: MIT
#include "analysis/trend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

Timestamp T(const std::string& text) { return *Timestamp::Parse(text); }

std::vector<std::string> Dates(const Trend& trend) {
  std::vector<std::string> dates;
  for (const TrendBucket& bucket : trend.Buckets()) dates.push_back(bucket.date);
  return dates;
}

TEST(TrendTest, HasEveryDayFromTheFirstToTheLast) {
  EXPECT_THAT(Dates(Trend(TrendPeriod::kDay, T("2026-02-27T23:59:59Z"), T("2026-03-02T00:00:00Z"))),
              ElementsAre("2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"));
  EXPECT_THAT(Dates(Trend(TrendPeriod::kDay, T("2024-02-28T12:00:00Z"), T("2024-03-01T12:00:00Z"))),
              ElementsAre("2024-02-28", "2024-02-29", "2024-03-01"));
}

TEST(TrendTest, WeeksBeginOnMonday) {
  // 2026-03-15 is a Sunday.
  EXPECT_THAT(Dates(Trend(TrendPeriod::kWeek, T("2026-03-01T00:00:00Z"), T("2026-03-15T23:59:59.999999Z"))),
              ElementsAre("2026-02-23", "2026-03-02", "2026-03-09"));
  EXPECT_THAT(Dates(Trend(TrendPeriod::kWeek, T("2026-03-16T00:00:00Z"), T("2026-03-16T00:00:00Z"))),
              ElementsAre("2026-03-16"));
  EXPECT_THAT(Dates(Trend(TrendPeriod::kWeek, T("1969-12-28T00:00:00Z"), T("1970-01-01T00:00:00Z"))),
              ElementsAre("1969-12-22", "1969-12-29"))
      << "also before 1970";
}

TEST(TrendTest, CountsRunsFailuresAndDistinctNames) {
  Trend trend(TrendPeriod::kDay, T("2026-03-01T00:00:00Z"), T("2026-03-02T23:59:59Z"));
  trend.AddRun(T("2026-03-01T10:00:00Z"), false);
  trend.AddRun(T("2026-03-02T10:00:00Z"), true);
  trend.AddRun(T("2026-03-02T11:00:00Z"), false);
  trend.AddFailure(T("2026-03-02T10:00:01Z"), "A.A");
  trend.AddFailure(T("2026-03-02T10:00:02Z"), "A.A");
  trend.AddFailure(T("2026-03-02T10:00:03Z"), "A.B");
  const auto buckets = trend.Buckets();
  ASSERT_THAT(buckets, SizeIs(2));
  EXPECT_EQ(buckets[0].runs, 1);
  EXPECT_EQ(buckets[0].failed_runs, 0);
  EXPECT_EQ(buckets[0].failures, 0);
  EXPECT_EQ(buckets[1].runs, 2);
  EXPECT_EQ(buckets[1].failed_runs, 1);
  EXPECT_EQ(buckets[1].failures, 3);
  EXPECT_EQ(buckets[1].failing_tests, 2);
}

TEST(TrendTest, BothEndsAreInclusive) {
  const Timestamp first = T("2026-03-01T06:00:00Z");
  const Timestamp last = T("2026-03-01T18:00:00Z");
  for (const TrendPeriod period : {TrendPeriod::kDay, TrendPeriod::kWeek}) {
    Trend trend(period, first, last);
    for (const Timestamp at : {first - 1, first, last, last + 1}) {
      trend.AddRun(at, true);
      trend.AddFailure(at, "A.A");
    }
    ASSERT_THAT(trend.Buckets(), SizeIs(1));
    EXPECT_EQ(trend.Buckets()[0].runs, 2);
    EXPECT_EQ(trend.Buckets()[0].failures, 2);
  }
}

TEST(TrendTest, IsEmptyIfTheLastIsBeforeTheFirst) {
  Trend trend(TrendPeriod::kDay, T("2026-03-02T00:00:00Z"), T("2026-03-01T00:00:00Z"));
  trend.AddRun(T("2026-03-01T12:00:00Z"), true);
  EXPECT_THAT(trend.Buckets(), SizeIs(0));
}

class TrendOracleTest : public testing::TestWithParam<int> {};

// Compares with counting by the text of the date.
TEST_P(TrendOracleTest, AgreesWithCountingByDate) {
  std::mt19937_64 random(static_cast<uint64_t>(GetParam()));
  const Timestamp first = T("2025-12-20T05:06:07Z");
  const Timestamp last = first + 40 * kMicrosPerDay;
  Trend days(TrendPeriod::kDay, first, last);
  Trend weeks(TrendPeriod::kWeek, first, last);
  std::map<std::string, int64_t> runs, failures;
  std::map<std::string, std::set<std::string>> tests;
  int64_t within = 0;
  std::uniform_int_distribution<int64_t> offset(-3 * kMicrosPerDay, 43 * kMicrosPerDay);
  for (int i = 0; i < 500; ++i) {
    const Timestamp at = first + offset(random);
    const std::string name = "T" + std::to_string(random() % 9);
    for (Trend* trend : {&days, &weeks}) {
      trend->AddRun(at, false);
      trend->AddFailure(at, name);
    }
    if (at < first || at > last) continue;
    ++within;
    ++runs[at.Date()];
    ++failures[at.Date()];
    tests[at.Date()].insert(name);
  }
  for (const TrendBucket& bucket : days.Buckets()) {
    EXPECT_EQ(bucket.runs, runs[bucket.date]) << bucket.date;
    EXPECT_EQ(bucket.failures, failures[bucket.date]) << bucket.date;
    EXPECT_EQ(bucket.failing_tests, static_cast<int64_t>(tests[bucket.date].size())) << bucket.date;
  }
  int64_t weekly = 0;
  for (const TrendBucket& bucket : weeks.Buckets()) {
    int64_t wanted = 0;
    for (int64_t day = 0; day < 7; ++day) wanted += runs[(T(bucket.date + "T00:00:00Z") + day * kMicrosPerDay).Date()];
    EXPECT_EQ(bucket.runs, wanted) << bucket.date;
    weekly += bucket.runs;
  }
  EXPECT_EQ(weekly, within);
}

INSTANTIATE_TEST_SUITE_P(Seeds, TrendOracleTest, testing::Range(0, 20));

TEST(SparklineTest, ScalesToTheGreatest) {
  EXPECT_EQ(Sparkline({0, 1, 2, 3, 4, 5, 6, 7}), " ▂▃▄▅▆▇█");
  EXPECT_EQ(Sparkline({0, 0}), "  ");
  EXPECT_EQ(Sparkline({}), "");
  EXPECT_EQ(Sparkline({5, 5}), "██");
  EXPECT_EQ(Sparkline({1, 1'000'000}), "▁█") << "a small value is not a blank";
  EXPECT_EQ(Sparkline({std::numeric_limits<int64_t>::max(), 1}), "█▁");
}

}  // namespace
}  // namespace flaky

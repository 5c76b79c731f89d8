// SPDX-License-Identifier: MIT
#include "transfer/rate_limited_sink.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/record_builder.h"

namespace flaky {
namespace {

using namespace std::chrono_literals;
using Rows = std::pair<RateClock::TimePoint, int64_t>;

// A clock whose time passes only while the sink waits.
class FakeClock {
 public:
  RateClock::TimePoint Now() const { return now_; }
  RateClock ForSink() {
    return {[this] { return now_; }, [this](RateClock::Duration time) { now_ += time; }};
  }

 private:
  RateClock::TimePoint now_;
};

// Records how many rows were written when.
class Recording : public Sink {
 public:
  explicit Recording(const FakeClock& clock) : clock_(clock) {}

  const std::string& name() const override { return name_; }
  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing) override {
    int64_t rows = 0;
    for (const RunRecord& record : records) {
      rows += 1 + static_cast<int64_t>(record.parts.size() + record.failures.size());
      ids.push_back(record.run.run_id);
    }
    writes.emplace_back(clock_.Now(), rows);
    if (on_existing == OnExisting::kReplace) replaced += rows;
    return std::vector<WriteResult>(records.size());
  }
  std::vector<RunRecord> ReadBack(std::span<const std::string>) override { return {}; }
  std::vector<RunRecord> Present(std::span<const std::string>) override { return {}; }
  void Finish() override { finished = true; }

  // The most rows that were written in any second.
  int64_t MostInASecond() const {
    int64_t most = 0;
    for (auto first = writes.begin(); first != writes.end(); ++first) {
      int64_t rows = 0;
      for (auto at = first; at != writes.end() && at->first - first->first < 1s; ++at) rows += at->second;
      most = std::max(most, rows);
    }
    return most;
  }

  std::vector<Rows> writes;
  std::vector<std::string> ids;
  int64_t replaced = 0;
  bool finished = false;

 private:
  const FakeClock& clock_;
  std::string name_ = "recording";
};

class RateLimitedSinkTest : public testing::Test {
 protected:
  FakeClock clock_;
  Recording inner_{clock_};
};

std::vector<RunRecord> Runs(int count) {
  std::vector<RunRecord> records;
  for (int i = 0; i < count; ++i) {
    records.push_back(BuildRecord("run" + std::to_string(i)).Fail("S.T").Build());
  }
  return records;
}

TEST_F(RateLimitedSinkTest, WritesAllInOrderAndNoMoreThanTheRateInAnySecond) {
  RateLimitedSink sink(inner_, 40, nullptr, clock_.ForSink());
  EXPECT_EQ(sink.Write(Runs(35), OnExisting::kMerge).size(), 35u);
  EXPECT_EQ(sink.Write(Runs(5), OnExisting::kMerge).size(), 5u);
  sink.Finish();
  EXPECT_TRUE(inner_.finished);
  ASSERT_EQ(inner_.ids.size(), 40u);
  EXPECT_EQ(inner_.ids[34], "run34");
  EXPECT_LE(inner_.MostInASecond(), 40);
}

TEST_F(RateLimitedSinkTest, LimitsReplacedRowsTogetherWithTheOthers) {
  RateLimitedSink sink(inner_, 10, nullptr, clock_.ForSink());
  for (const int count : {5, 20}) {
    sink.Write(Runs(count), OnExisting::kMerge);
    sink.Write(Runs(count), OnExisting::kReplace);
  }
  EXPECT_EQ(inner_.replaced, 50);
  EXPECT_LE(inner_.MostInASecond(), 10);
}

TEST_F(RateLimitedSinkTest, NeverDividesARecord) {
  RateLimitedSink sink(
      inner_, 1, [] { return true; }, clock_.ForSink());
  BuildRecord many("many");
  for (int i = 0; i < 100; ++i) many.Fail("S.T");
  EXPECT_EQ(sink.Write(std::vector<RunRecord>{many.Build(), BuildRecord("next").Build()}, OnExisting::kMerge).size(),
            2u);
  ASSERT_EQ(inner_.writes.size(), 2u);
  EXPECT_EQ(inner_.writes.front().second, 101);
}

TEST_F(RateLimitedSinkTest, DoesNotWaitAfterAStop) {
  RateLimitedSink sink(
      inner_, 1, [] { return true; }, clock_.ForSink());
  const auto begin = clock_.Now();
  sink.Write(Runs(200), OnExisting::kMerge);
  EXPECT_EQ(clock_.Now(), begin);
  EXPECT_EQ(inner_.ids.size(), 200u);
}

}  // namespace
}  // namespace flaky

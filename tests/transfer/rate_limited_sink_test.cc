#include "transfer/rate_limited_sink.h"

#include <gtest/gtest.h>

#include "stores/memory/memory_store.h"
#include "tests/support/record_builder.h"

namespace flaky {
namespace {

using Clock = std::chrono::steady_clock;

// Remembers how many rows were handed on when.
class Recording : public Sink {
 public:
  const std::string& name() const override { return name_; }
  std::vector<WriteResult> Write(std::span<const RunRecord> records) override {
    int64_t rows = 0;
    for (const RunRecord& record : records) {
      rows += 1 + static_cast<int64_t>(record.parts.size() + record.failures.size());
      ids.push_back(record.run.run_id);
    }
    writes.emplace_back(Clock::now(), rows);
    return std::vector<WriteResult>(records.size());
  }
  std::vector<RunRecord> ReadBack(std::span<const std::string>) override { return {}; }
  std::vector<RunRecord> Present(std::span<const std::string>) override { return {}; }
  std::vector<WriteResult> Replace(std::span<const RunRecord> records) override { return Write(records); }
  void Finish() override { finished = true; }

  std::vector<std::pair<Clock::time_point, int64_t>> writes;
  std::vector<std::string> ids;
  bool finished = false;

 private:
  std::string name_ = "recording";
};

std::vector<RunRecord> Runs(int count) {
  std::vector<RunRecord> records;
  for (int i = 0; i < count; ++i) {
    records.push_back(BuildRecord("run" + std::to_string(i)).Fail("S.T").Build());
  }
  return records;
}

TEST(RateLimitedSinkTest, HandsOnAllInOrderAndNoMoreThanASecondsRowsInASecond) {
  Recording inner;
  RateLimitedSink sink(inner, 40, nullptr);
  EXPECT_EQ(sink.Write(Runs(35)).size(), 35u);
  EXPECT_EQ(sink.Write(Runs(5)).size(), 5u);
  sink.Finish();
  EXPECT_TRUE(inner.finished);
  ASSERT_EQ(inner.ids.size(), 40u);
  EXPECT_EQ(inner.ids[34], "run34");
  for (size_t i = 0; i < inner.writes.size(); ++i) {
    int64_t rows = 0;
    for (size_t j = i; j < inner.writes.size(); ++j) {
      if (inner.writes[j].first - inner.writes[i].first < std::chrono::milliseconds(990))
        rows += inner.writes[j].second;
    }
    EXPECT_LE(rows, 40);
  }
}

TEST(RateLimitedSinkTest, NeverDividesARecord) {
  Recording inner;
  RateLimitedSink sink(inner, 1, [] { return true; });
  BuildRecord many("many");
  for (int i = 0; i < 100; ++i) many.Fail("S.T");
  EXPECT_EQ(sink.Write(std::vector<RunRecord>{many.Build(), BuildRecord("next").Build()}).size(), 2u);
  ASSERT_EQ(inner.writes.size(), 2u);
  EXPECT_EQ(inner.writes.front().second, 101);
}

TEST(RateLimitedSinkTest, DoesNotWaitForOneWhoWantsToStop) {
  Recording inner;
  RateLimitedSink sink(inner, 1, [] { return true; });
  const Clock::time_point begin = Clock::now();
  sink.Write(Runs(200));
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(60));
  EXPECT_EQ(inner.ids.size(), 200u);
}

}  // namespace
}  // namespace flaky

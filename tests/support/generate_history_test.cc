#include "tests/support/generate_history.h"

#include <gmock/gmock.h>

#include <set>

#include "history/digest.h"
#include "history/text.h"

namespace flaky {
namespace {

Digest SumOf(const std::vector<RunRecord>& records) {
  Digest sum;
  for (const RunRecord& record : records) sum += DigestOf(record);
  return sum;
}

TEST(GenerateHistory, TheSameOptionsGiveTheSameHistory) {
  HistoryShape shape;
  shape.runs = 200;
  EXPECT_EQ(SumOf(GenerateHistory(shape)), SumOf(GenerateHistory(shape)));
  HistoryShape other = shape;
  other.seed = 2;
  EXPECT_NE(SumOf(GenerateHistory(other)), SumOf(GenerateHistory(shape)));
}

TEST(GenerateHistory, HasTheShapeThatWasAskedFor) {
  HistoryShape shape;
  shape.runs = 3000;
  shape.failures_per_run = 2.0;
  shape.days = 30;
  shape.npm_share = 0.25;
  std::set<std::string> ids, projects;
  double failures = 0, npm = 0, passed = 0;
  Timestamp last = shape.end - shape.days * kMicrosPerDay;
  for (const RunRecord& record : GenerateHistory(shape)) {
    ids.insert(record.run.run_id);
    projects.insert(record.run.project.value_or("(none)"));
    failures += static_cast<double>(record.failures.size());
    npm += record.parts.empty();
    passed += record.failures.empty();
    EXPECT_GE(record.run.account.started_at, last - 1000) << "oldest first, to the millisecond";
    last = record.run.account.started_at;
    for (const Failure& failure : record.failures) {
      EXPECT_GE(failure.error_message->size(), shape.min_message - 4);
      EXPECT_LE(failure.error_message->size(), shape.max_message);
      EXPECT_TRUE(IsStorable(*failure.error_message));
    }
  }
  EXPECT_LT(last, shape.end);
  EXPECT_EQ(ids.size(), 3000u);
  EXPECT_EQ(projects.size(), 3u);
  EXPECT_NEAR(failures / 3000, 2.0, 0.3);
  EXPECT_NEAR(npm / 3000, 0.25, 0.05);
  EXPECT_GT(passed, 1000);
}

TEST(GenerateHistory, ZeroRunsGiveAnEmptyHistory) {
  HistoryShape shape;
  shape.runs = 0;
  EXPECT_TRUE(GenerateHistory(shape).empty());
}

}  // namespace
}  // namespace flaky

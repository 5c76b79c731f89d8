// SPDX-License-Identifier: MIT
#include "spool/stray_journals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/spool/spool_fixture.h"

namespace flaky {
namespace {

using ::testing::SizeIs;

class StrayJournals : public SpoolTest {
 protected:
  StrayJournals() { fs::create_directories(spool()); }

  void PutStray(HeaderText header, uint64_t number, const std::string& missed_pid, const std::string& lines) const {
    header.Remove("flaky_journal").Set("missed_run_pid", missed_pid).Set("missed_run_start", "77");
    PutJournal(from(), number, "{\"flaky_journal\":1," + header.Line().substr(1) + lines);
  }
  void Take() const { TakeStrays(from(), {{5, "77", "", "", ""}, "the run", "shop"}, spool()); }
  fs::path from() const { return folder_.path() / "homeless"; }
  bool IsStray(uint64_t number) const { return fs::exists(from() / (TestId(number) + ".jsonl")); }
};

TEST_F(StrayJournals, BecomePartsOfTheRun) {
  PutStray(DeadHeader(1), 1, "5", kOneTest + kPassedEnd);
  PutStray(DeadHeader(2), 2, "5", R"(["S.Dies",1,1000)");
  PutStray(DeadHeader(3), 3, "6", kOneTest + kPassedEnd);
  PutStray(LiveHeader(4), 4, "5", kOneTest);
  PutJournal(from(), 5, DeadHeader(5).Line() + kPassedEnd);
  PutJournal(from(), 6, "damaged");
  Take();
  EXPECT_FALSE(IsStray(1));
  EXPECT_FALSE(IsStray(2)) << "its writer has died";
  EXPECT_TRUE(IsStray(3)) << "of another flaky run";
  EXPECT_TRUE(IsStray(4)) << "still being written";
  EXPECT_TRUE(IsStray(5)) << "of no flaky run";
  EXPECT_TRUE(IsStray(6));
  const Taken taken = TakeAll(Deliver);
  ASSERT_THAT(taken.records, SizeIs(1));
  EXPECT_EQ(taken.records[0].run.run_id, "the run");
  EXPECT_THAT(taken.records[0].parts, SizeIs(2));
  EXPECT_EQ(taken.records[0].run.account.total_tests, 1) << "how the other one ended is unknown";
  EXPECT_THAT(Files(), SizeIs(0));
}

TEST_F(StrayJournals, StayIfThereIsNoRoomForThem) {
  PutStray(DeadHeader(1), 1, "5", kOneTest + kPassedEnd);
  TakeStrays(from(), {{5, "77", "", "", ""}, "the run", "shop"}, folder_.path() / "missing");
  EXPECT_TRUE(IsStray(1));
}

}  // namespace
}  // namespace flaky

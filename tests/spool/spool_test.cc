// SPDX-License-Identifier: MIT
#include "spool/spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "history/digest.h"
#include "spool/grouping.h"
#include "spool/record_of.h"
#include "spool/spool_source.h"
#include "stores/error.h"
#include "tests/spool/spool_fixture.h"

namespace flaky {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

void Age(const fs::path& file, std::chrono::hours age) {
  fs::last_write_time(file, fs::file_time_type::clock::now() - age);
}

TEST_F(SpoolTest, NothingIsPendingInAnEmptyOrMissingSpool) {
  EXPECT_FALSE(HasPending(spool()));
  TakeAll();
  EXPECT_FALSE(HasPending(spool()));
  struct stat status {};
  ASSERT_EQ(stat(spool().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(SpoolTest, AProcessAloneIsARunOfOnePart) {
  PutJournal(spool(), 1, DeadHeader(1).Line() + kOneTest + kPassedEnd);
  EXPECT_TRUE(HasPending(spool()));
  const Taken taken = TakeAll(Deliver);
  ASSERT_EQ(taken.records.size(), 1u);
  EXPECT_EQ(taken.records[0].run.run_id, TestId(0x1000001));
  ASSERT_EQ(taken.records[0].parts.size(), 1u);
  EXPECT_EQ(taken.records[0].parts[0].part_id, TestId(1));
  EXPECT_THAT(Files(), IsEmpty());
  EXPECT_FALSE(HasPending(spool()));
}

TEST_F(SpoolTest, WhatIsNotDeliveredIsReturnedAgainUnchanged) {
  PutJournal(spool(), 1, DeadHeader(1).Line() + kOneTest + kPassedEnd);
  for (uint64_t i = 2; i < 5; ++i) PutJournal(spool(), i, UnderCtest(i, false).Line() + kOneTest + kPassedEnd);
  const Taken first = TakeAll();
  const Taken second = TakeAll();
  ASSERT_EQ(first.records.size(), 2u);
  ASSERT_EQ(second.records.size(), 2u);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(DigestOf(first.records[i]), DigestOf(second.records[i]));
}

TEST_F(SpoolTest, LeavesRunningProcessesAlone) {
  PutJournal(spool(), 1, LiveHeader(1).Line() + R"(["S.A",1,2)" + std::string(4096, '\0'));
  PutJournal(spool(), 2, DeadHeader(2).Line() + R"(["S.A",1,2)" + std::string(4096, '\0'));
  // Wrote its end line, but could not truncate the file.
  PutJournal(spool(), 3, LiveHeader(3).Line() + kOneTest + kPassedEnd + std::string(4096, '\0'));
  const Taken taken = TakeAll(Deliver);
  EXPECT_EQ(taken.records.size(), 2u);
  EXPECT_EQ(taken.report.running, 1);
  EXPECT_THAT(Files(), ElementsAre(TestId(1) + ".jsonl"));
}

TEST_F(SpoolTest, JournalsOfOtherMachinesAreAbandonedAfterADay) {
  for (uint64_t i = 1; i <= 2; ++i) {
    PutJournal(spool(), i,
               DeadHeader(i).SetText("boot_id", "elsewhere").SetText("host", "elsewhere").Line() + kOneTest);
  }
  Age(FileOf(2), std::chrono::hours(25));
  const Taken taken = TakeAll(Deliver);
  EXPECT_EQ(taken.records.size(), 1u);
  EXPECT_EQ(taken.report.unknown, 1);
  EXPECT_EQ(taken.report.running, 0);
  EXPECT_THAT(Files(), ElementsAre(TestId(1) + ".jsonl"));
}

TEST_F(SpoolTest, ProcessesUnderOneCtestAreOnePartWhenItHasEnded) {
  for (uint64_t i = 1; i <= 3; ++i) PutJournal(spool(), i, UnderCtest(i, true).Line() + kOneTest + kPassedEnd);
  EXPECT_THAT(TakeAll(Deliver).records, IsEmpty());
  fs::remove_all(spool());
  for (uint64_t i = 1; i <= 3; ++i) PutJournal(spool(), i, UnderCtest(i, false).Line() + kOneTest + kPassedEnd);
  const Taken taken = TakeAll();
  ASSERT_EQ(taken.records.size(), 1u);
  ASSERT_EQ(taken.records[0].parts.size(), 1u);
  const std::string part_id = taken.records[0].parts[0].part_id;
  EXPECT_THAT(Files(), ElementsAre("outbox/" + part_id + "/" + TestId(1) + ".jsonl",
                                   "outbox/" + part_id + "/" + TestId(2) + ".jsonl",
                                   "outbox/" + part_id + "/" + TestId(3) + ".jsonl"));
  EXPECT_TRUE(HasPending(spool()));
  EXPECT_EQ(TakeAll(Deliver).records.size(), 1u);
  EXPECT_THAT(Files(), IsEmpty());
  EXPECT_FALSE(HasPending(spool()));
}

TEST_F(SpoolTest, AFixtureIsCompleteAtItsCleanUpAlthoughCtestIsRunning) {
  const auto put = [&](uint64_t i, const std::string& fixture) {
    PutJournal(spool(), i, UnderCtest(i, true).SetText("fixture", fixture).Line() + kOneTest + kPassedEnd);
  };
  put(1, "flaky");
  put(2, "flaky");
  put(3, "other");
  PutJournal(spool(), 4, UnderCtest(4, true).Line() + kOneTest + kPassedEnd);
  EXPECT_THAT(TakeAll(Deliver, CTestGroup(ThisProcess(), "none")).records, IsEmpty());
  const Taken taken = TakeAll(Deliver, CTestGroup(ThisProcess(), "flaky"));
  ASSERT_EQ(taken.records.size(), 1u);
  ASSERT_EQ(taken.records[0].parts.size(), 1u);
  EXPECT_EQ(taken.records[0].run.account.total_tests, 1) << "run twice";
  EXPECT_EQ(taken.report.running, 2);
  EXPECT_THAT(Files(), ElementsAre(TestId(3) + ".jsonl", TestId(4) + ".jsonl"));
}

TEST_F(SpoolTest, LateJournalsOfACtestAreAnotherPart) {
  const auto put = [&](uint64_t i) {
    PutJournal(spool(), i, UnderCtest(i, false).SetText("run_id", "nightly").Line() + kOneTest + kPassedEnd);
  };
  put(1);
  put(2);
  const Taken first = TakeAll();  // sealed, but not delivered
  put(3);
  put(4);
  const Taken second = TakeAll(Deliver);
  ASSERT_EQ(first.records.size(), 1u);
  ASSERT_EQ(second.records.size(), 1u);
  EXPECT_EQ(second.records[0].run.run_id, "nightly");
  ASSERT_EQ(second.records[0].parts.size(), 2u);
  EXPECT_EQ(std::ranges::count(second.records[0].parts, first.records[0].parts[0].part_id, &Part::part_id), 1);
  EXPECT_EQ(second.records[0].run.account.total_tests, 2) << "one of each part";
  EXPECT_THAT(Files(), IsEmpty());
}

// The store must not depend on whether they are delivered together or one by one.
TEST_F(SpoolTest, ProcessesThatOnlyShareARunIdAreAPartEach) {
  for (uint64_t i = 1; i <= 3; ++i) {
    PutJournal(spool(), i, DeadHeader(i).SetText("run_id", "nightly").Line() + kOneTest + kPassedEnd);
  }
  for (uint64_t i = 4; i <= 5; ++i) {
    PutJournal(spool(), i, UnderCtest(i, false).SetText("run_id", "nightly").Line() + kOneTest + kPassedEnd);
  }
  const Taken taken = TakeAll(Deliver);
  ASSERT_EQ(taken.records.size(), 1u);
  ASSERT_EQ(taken.records[0].parts.size(), 4u);
  for (uint64_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(std::ranges::count(taken.records[0].parts, TestId(i), &Part::part_id), 1) << i;
  }
  EXPECT_EQ(taken.records[0].run.account.total_tests, 4);
  EXPECT_EQ(taken.records[0].rosters.size(), 2u) << "equal rosters are stored once";
  EXPECT_THAT(Files(), IsEmpty());
}

// A shard of this test's process.
HeaderText ShardHeader(HeaderText header, int index) {
  return header.Set("shard", "[" + std::to_string(index) + ",3]")
      .Set("parent_pid", std::to_string(getpid()))
      .Set("parent_start", OwnStart());
}

TEST_F(SpoolTest, ShardsOfOneParentWaitForEachOtherAndAreOnePart) {
  PutJournal(spool(), 1, ShardHeader(DeadHeader(1), 0).Line() + kOneTest + kPassedEnd);
  PutJournal(spool(), 2, ShardHeader(LiveHeader(2), 1).Line() + kOneTest);
  const Taken early = TakeAll();
  EXPECT_THAT(early.records, IsEmpty());
  EXPECT_EQ(early.report.running, 2);

  PutJournal(spool(), 2, ShardHeader(LiveHeader(2), 1).Line() + kOneTest + kPassedEnd);
  PutJournal(spool(), 3, ShardHeader(DeadHeader(3), 2).Line() + kOneTest);
  const Taken taken = TakeAll();
  ASSERT_THAT(taken.records, SizeIs(1));
  EXPECT_THAT(taken.records[0].parts, SizeIs(1));
  const std::string run_id = taken.records[0].run.run_id;
  EXPECT_EQ(run_id, TestId(1 + 0x1000000)) << "the run of the journal with the smallest id";
  const Taken again = TakeAll(Deliver);
  ASSERT_THAT(again.records, SizeIs(1));
  EXPECT_EQ(again.records[0].run.run_id, run_id) << "the same after sealing";
  EXPECT_EQ(again.records[0].parts, taken.records[0].parts);
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(SpoolTest, AShardAloneIsAPartByItself) {
  PutJournal(spool(), 1, ShardHeader(DeadHeader(1), 0).SetText("run_id", "build-7").Line() + kOneTest + kPassedEnd);
  const Taken taken = TakeAll(Deliver);
  ASSERT_THAT(taken.records, SizeIs(1));
  EXPECT_EQ(taken.records[0].run.run_id, "build-7");
  EXPECT_EQ(taken.records[0].parts.at(0).part_id, TestId(1));
}

TEST_F(SpoolTest, ShardsOfOtherParentsProgramsOrRunsAreOtherParts) {
  PutJournal(spool(), 1, ShardHeader(DeadHeader(1), 0).Line() + kOneTest + kPassedEnd);
  PutJournal(spool(), 2, ShardHeader(DeadHeader(2), 1).Set("parent_pid", "1").Line() + kOneTest + kPassedEnd);
  PutJournal(spool(), 3, ShardHeader(DeadHeader(3), 1).Set("args", R"(["./others"])").Line() + kOneTest + kPassedEnd);
  PutJournal(spool(), 4, ShardHeader(DeadHeader(4), 1).SetText("run_id", "r").Line() + kOneTest + kPassedEnd);
  PutJournal(spool(), 5, ShardHeader(DeadHeader(5), 1).Set("shard", "[1,4]").Line() + kOneTest + kPassedEnd);
  EXPECT_THAT(TakeAll(Deliver).records, SizeIs(5));
}

TEST_F(SpoolTest, ResumesASealingThatWasInterrupted) {
  const auto put = [&](const fs::path& folder, uint64_t i) {
    PutJournal(folder, i, UnderCtest(i, false).SetText("run_id", "nightly").Line() + kOneTest + kPassedEnd);
  };
  put(spool(), 1);
  put(spool(), 2);
  put(spool(), 3);
  const std::string part_id = TakeAll().records.at(0).parts.at(0).part_id;
  fs::remove_all(spool());
  // The process died after it had moved two of three journals.
  const fs::path filling = spool() / "outbox" / ("." + part_id + ".filling");
  put(filling, 1);
  put(filling, 2);
  put(spool(), 3);
  EXPECT_TRUE(HasPending(spool()));
  const Taken taken = TakeAll(Deliver);
  ASSERT_EQ(taken.records.size(), 1u);
  ASSERT_EQ(taken.records[0].parts.size(), 1u) << "nothing was sent yet, so all journals are one part";
  EXPECT_EQ(taken.records[0].parts[0].part_id, part_id);
  EXPECT_THAT(Files(), IsEmpty());
  // The process died while it removed the delivered part.
  put(spool() / "outbox" / ("." + part_id + ".done"), 2);
  EXPECT_FALSE(HasPending(spool()));
  EXPECT_THAT(TakeAll().records, IsEmpty());
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(SpoolTest, RejectsDamagedJournalsWithAReason) {
  PutJournal(spool(), 1, "no journal\n");
  PutJournal(spool(), 2, DeadHeader(2).Line() + "damaged\n" + kPassedEnd);
  PutJournal(spool(), 3, DeadHeader(4).Line() + kPassedEnd);
  PutJournal(spool(), 5, DeadHeader(5).Line() + kOneTest + kPassedEnd);
  const Taken taken = TakeAll(Deliver);
  EXPECT_EQ(taken.records.size(), 1u);
  EXPECT_EQ(taken.report.rejected, 3);
  EXPECT_EQ(taken.report.messages.size(), 3u);
  const auto kept = [](uint64_t i) { return "rejected/" + TestId(i) + ".jsonl"; };
  EXPECT_THAT(Files(), UnorderedElementsAre(kept(1), kept(1) + ".reason", kept(2), kept(2) + ".reason", kept(3),
                                            kept(3) + ".reason"));
  EXPECT_THAT(ReadWholeFile(spool() / (kept(2) + ".reason")), HasSubstr("line 2 is not JSON"));
  EXPECT_EQ(ReadWholeFile(spool() / kept(1)), "no journal\n");
  EXPECT_FALSE(HasPending(spool()));
  // Another journal of the same name does not replace it.
  PutJournal(spool(), 1, "another\n");
  TakeAll();
  EXPECT_EQ(ReadWholeFile(spool() / kept(1)), "no journal\n");
  EXPECT_EQ(ReadWholeFile(spool() / (kept(1) + ".1")), "another\n");
}

TEST_F(SpoolTest, ADamagedJournalDoesNotRejectItsRun) {
  for (uint64_t i = 1; i <= 3; ++i) {
    PutJournal(spool(), i,
               DeadHeader(i).SetText("run_id", "r").Line() + (i == 2 ? "damaged\n" : kOneTest) + kPassedEnd);
  }
  const Taken taken = TakeAll();
  ASSERT_EQ(taken.records.size(), 1u);
  EXPECT_EQ(taken.report.rejected, 1);
  const Taken again = TakeAll(Deliver);
  EXPECT_EQ(DigestOf(again.records.at(0)), DigestOf(taken.records[0]));
  EXPECT_EQ(Files().size(), 2u);
}

// Root may read everything, so this thread gives up that right.
class WithoutRootsRights {
 public:
  WithoutRootsRights() {
    Get();
    __user_cap_data_struct less[2] = {before_[0], before_[1]};
    less[0].effective &= ~((1u << CAP_DAC_OVERRIDE) | (1u << CAP_DAC_READ_SEARCH));
    Set(less);
  }
  ~WithoutRootsRights() { Set(before_); }

 private:
  void Get() { EXPECT_EQ(syscall(SYS_capget, &header_, before_), 0); }
  void Set(__user_cap_data_struct* data) { EXPECT_EQ(syscall(SYS_capset, &header_, data), 0); }

  __user_cap_header_struct header_ = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct before_[2] = {};
};

TEST_F(SpoolTest, AJournalThatCannotBeReadIsSetAsideAndTheOthersAreDelivered) {
  for (uint64_t i = 1; i <= 3; ++i) PutJournal(spool(), i, DeadHeader(i).Line() + kOneTest + kPassedEnd);
  fs::permissions(spool() / (TestId(2) + ".jsonl"), fs::perms::none);
  const WithoutRootsRights limited;
  const Taken taken = TakeAll(Deliver);
  EXPECT_THAT(taken.records, SizeIs(2));
  EXPECT_EQ(taken.report.rejected, 1);
  ASSERT_THAT(taken.report.messages, SizeIs(1));
  EXPECT_THAT(taken.report.messages[0], HasSubstr(TestId(2) + ".jsonl: cannot be read: Permission denied; kept as"));
  EXPECT_TRUE(fs::exists(spool() / "rejected" / (TestId(2) + ".jsonl")));
}

TEST_F(SpoolTest, LeavesJournalsOfANewerFormat) {
  PutJournal(spool(), 1, DeadHeader(1).Set("flaky_journal", "2").Line() + kPassedEnd);
  const Taken taken = TakeAll();
  EXPECT_EQ(taken.report.newer, 1);
  EXPECT_EQ(taken.report.messages.size(), 1u);
  EXPECT_THAT(Files(), ElementsAre(TestId(1) + ".jsonl"));
}

TEST_F(SpoolTest, RemovesFilesWithoutAHeaderAfterAnHour) {
  PutJournal(spool(), 1, std::string(4096, '\0'));
  PutJournal(spool(), 2, std::string(4096, '\0'));
  PutJournal(spool(), 3, "");
  PutJournal(spool(), 4, R"({"flaky_jour)");
  for (uint64_t i = 2; i <= 4; ++i) Age(FileOf(i), std::chrono::hours(2));
  const Taken taken = TakeAll();
  EXPECT_EQ(taken.report.running, 1);
  EXPECT_THAT(Files(), UnorderedElementsAre(TestId(1) + ".jsonl", "rejected/" + TestId(4) + ".jsonl",
                                            "rejected/" + TestId(4) + ".jsonl.reason"));
}

TEST_F(SpoolTest, RejectsWholePartsOnRequest) {
  PutJournal(spool(), 1, DeadHeader(1).Line() + kOneTest + kPassedEnd);
  for (uint64_t i = 2; i <= 3; ++i)
    PutJournal(spool(), i, UnderCtest(i, false).SetText("run_id", "r").Line() + kOneTest + kPassedEnd);
  std::string part_id;
  TakeAll([&](SpoolSource& source, const RunRecord& record) {
    if (record.run.run_id == "r") part_id = record.parts.at(0).part_id;
    source.Reject(record.run.run_id, "contradicts");
  });
  EXPECT_THAT(Files(), UnorderedElementsAre(
                           "rejected/" + TestId(1) + ".jsonl", "rejected/" + TestId(1) + ".jsonl.reason",
                           "rejected/" + part_id + "/" + TestId(2) + ".jsonl",
                           "rejected/" + part_id + "/" + TestId(3) + ".jsonl", "rejected/" + part_id + ".reason"));
  EXPECT_FALSE(HasPending(spool()));
}

TEST_F(SpoolTest, IgnoresWhatIsNotItsOwn) {
  const fs::path outside = folder_.path() / "outside.jsonl";
  WriteWholeFile(outside, DeadHeader(9).Line() + kOneTest + kPassedEnd);
  fs::create_directories(spool() / "outbox");
  fs::create_symlink(outside, FileOf(9));
  ASSERT_EQ(mkfifo(FileOf(10).c_str(), 0600), 0);
  fs::create_directory(FileOf(11));
  WriteWholeFile(spool() / "..jsonl", "x");
  WriteWholeFile(spool() / "a\nb\x1b.jsonl", "x");
  WriteWholeFile(spool() / (TestId(12) + ".jsonl.swp"), "x");
  fs::create_directory_symlink(folder_.path(), spool() / "outbox" / TestId(13));
  fs::create_directories(spool() / "outbox" / TestId(14) / "deep");
  const Taken taken = TakeAll(Deliver);
  EXPECT_THAT(taken.records, IsEmpty());
  EXPECT_THAT(taken.report.messages, IsEmpty());
  EXPECT_TRUE(fs::exists(outside));
  EXPECT_TRUE(fs::is_symlink(FileOf(9)));

  // If one of the spool's folders is a link, nothing is written through it.
  fs::remove_all(spool());
  fs::create_directories(spool());
  fs::create_directory_symlink(folder_.path(), spool() / "rejected");
  PutJournal(spool(), 1, "damaged\n");
  EXPECT_THROW(TakeAll(), StoreError);
  EXPECT_THAT(Files(), UnorderedElementsAre(TestId(1) + ".jsonl", "rejected"));
}

TEST_F(SpoolTest, TheOldestRunComesFirstAndBatchesAreBounded) {
  for (uint64_t i = 1; i <= 10; ++i) {
    PutJournal(
        spool(), i,
        DeadHeader(i).Set("started_us", std::to_string(1700000000000000 - i * 1000000)).Line() + kOneTest + kPassedEnd);
  }
  const auto lock = SpoolLock::Take(spool(), std::chrono::milliseconds(0));
  SpoolSource source(*lock, [](const Journal&) { return RunContext(); });
  EXPECT_EQ(source.Expected()->runs, 10);
  EXPECT_EQ(source.Expected()->parts, 10);
  BatchLimits limits;
  limits.records = 4;
  std::vector<size_t> sizes;
  Timestamp last;
  while (const auto batch = source.Next(limits)) {
    sizes.push_back(batch->records.size());
    for (const RunRecord& record : batch->records) {
      EXPECT_LT(last, record.run.account.started_at);
      last = record.run.account.started_at;
    }
  }
  EXPECT_THAT(sizes, ElementsAre(4, 4, 2));
}

TEST_F(SpoolTest, ExpectedChangesNothing) {
  PutJournal(spool(), 1, "damaged\n");
  for (uint64_t i = 2; i <= 3; ++i)
    PutJournal(spool(), i, UnderCtest(i, false).SetText("run_id", "r").Line() + kOneTest + kPassedEnd);
  const auto before = Files();
  const auto lock = SpoolLock::Take(spool(), std::chrono::milliseconds(0));
  SpoolSource source(*lock, [](const Journal&) { return RunContext(); });
  EXPECT_EQ(source.Expected()->runs, 1);
  EXPECT_EQ(source.Expected()->parts, 1);
  EXPECT_EQ(Files(), before);
}

TEST_F(SpoolTest, OneProcessAtATimeHoldsTheLock) {
  auto held = SpoolLock::Take(spool(), std::chrono::milliseconds(0));
  ASSERT_TRUE(held);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(SpoolLock::Take(spool(), std::chrono::milliseconds(30)));
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(30));
  std::jthread release([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    SpoolLock(std::move(*held));
  });
  EXPECT_TRUE(SpoolLock::Take(spool(), std::chrono::seconds(10)));
  release.join();
}

TEST_F(SpoolTest, ReportsWhyASpoolCannotBeUsed) {
  WriteWholeFile(folder_.path() / "file", "x");
  try {
    SpoolLock::Take(folder_.path() / "file" / "spool", std::chrono::milliseconds(0));
    FAIL() << "a file is not a folder";
  } catch (const StoreError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kMissing);
    EXPECT_THAT(error.what(), HasSubstr("FLAKY_TESTS_SPOOL"));
  }
}

}  // namespace
}  // namespace flaky

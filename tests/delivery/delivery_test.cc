// SPDX-License-Identifier: MIT
#include "delivery/delivery.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <thread>

#include "cli/program.h"
#include "spool/spool.h"
#include "tests/delivery/delivery_fixture.h"
#include "tests/support/own_mounts.h"
#include "tests/support/wait_for.h"

namespace flaky {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(DeliveryTest, OpensNothingWhenNothingIsPending) {
  const DeliverySummary account = DeliverPending(resolved_, std::chrono::seconds(1));
  EXPECT_EQ(account.runs, 0);
  EXPECT_FALSE(fs::exists(file()));
  EXPECT_FALSE(fs::exists(spool()));
  // A program that may still be running does not open a store either.
  PutJournal(spool(), 1, DeadHeader(1).SetText("boot_id", "elsewhere").SetText("host", "elsewhere").Line());
  EXPECT_EQ(DeliverPending(resolved_, std::chrono::seconds(1)).unknown, 1);
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(DeliveryTest, MovesWhatIsPendingIntoTheStore) {
  for (uint64_t i = 1; i <= 3; ++i) PutJournal(spool(), i, JournalText(i));
  for (uint64_t i = 4; i <= 6; ++i)
    PutJournal(spool(), i, DeadHeader(i).SetText("run_id", "shared").Line() + kPassedEnd);
  const DeliverySummary account = DeliverPending(resolved_, std::chrono::seconds(1));
  EXPECT_EQ(account.runs, 4);
  EXPECT_EQ(account.parts, 6);
  EXPECT_EQ(account.rejected, 0);
  EXPECT_EQ(account.kept, 0);
  EXPECT_FALSE(account.locked);
  EXPECT_THAT(account.messages, IsEmpty());
  EXPECT_EQ(Waiting(), 0u);
  const auto stored = Stored();
  ASSERT_THAT(stored, SizeIs(4));
  EXPECT_EQ(stored[0].run.project, "build") << "the name of the working folder";
}

TEST_F(DeliveryTest, KeepsEverythingWhenTheStoreCannotBeUsed) {
  PutJournal(spool(), 1, JournalText(1));
  UseStore(folder_.path());
  EXPECT_THROW(DeliverPending(resolved_, std::chrono::seconds(1)), StoreError);
  EXPECT_EQ(Waiting(), 1u);
  // And the lock is free again.
  EXPECT_TRUE(SpoolLock::Take(spool(), std::chrono::milliseconds(0)));
}

TEST_F(DeliveryTest, SaysThatAnotherProcessDelivers) {
  PutJournal(spool(), 1, JournalText(1));
  const auto lock = SpoolLock::Take(spool(), std::chrono::milliseconds(0));
  const DeliverySummary account = DeliverPending(resolved_, std::chrono::milliseconds(20));
  EXPECT_TRUE(account.locked);
  EXPECT_EQ(account.runs, 0);
  EXPECT_EQ(Waiting(), 1u);
}

// A journal that stays would be delivered again and again.
TEST_F(DeliveryTest, AJournalThatCannotBeRemovedEndsTheDelivery) {
  ASSERT_EQ(InOwnMounts([&] {
              PutJournal(spool(), 1, JournalText(1));
              PutJournal(spool(), 2, JournalText(2));
              const std::string file = (spool() / (TestId(1) + ".jsonl")).string();
              ASSERT_EQ(mount(file.c_str(), file.c_str(), nullptr, MS_BIND, nullptr), 0) << std::strerror(errno);
              for (const int64_t runs : {2, 1}) {
                const DeliverySummary account = Deliver(resolved_, {});
                EXPECT_EQ(account.runs, runs);
                EXPECT_EQ(account.kept, 1);
                ASSERT_THAT(account.messages, SizeIs(1));
                EXPECT_THAT(account.messages[0], HasSubstr(file + ": delivered, but it cannot be removed: "));
              }
              ExpectEachOnce(2);
            }),
            "");
}

TEST_F(DeliveryTest, ReturnsOnceTheOtherProcessHasDeliveredAll) {
  PutJournal(spool(), 1, JournalText(1));
  auto lock = SpoolLock::Take(spool(), std::chrono::milliseconds(0));
  std::jthread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    fs::remove(spool() / (TestId(1) + ".jsonl"));
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(DeliverPending(resolved_, std::chrono::seconds(3600)).locked);
  other.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1800));
}

TEST_F(DeliveryTest, MovesAsideWhatContradictsTheStore) {
  PutJournal(spool(), 1, JournalText(1));
  DeliverPending(resolved_, std::chrono::seconds(1));
  PutJournal(spool(), 1, DeadHeader(1).Line() + "[\"S.Other\",1,1000,\"failed\",1]\n" + kFailedEnd);
  const DeliverySummary account = DeliverPending(resolved_, std::chrono::seconds(1));
  EXPECT_EQ(account.runs, 0);
  EXPECT_EQ(account.rejected, 1);
  ASSERT_THAT(account.messages, SizeIs(1));
  EXPECT_THAT(account.messages[0], HasSubstr("rejected/" + TestId(1)));
  EXPECT_TRUE(fs::exists(spool() / "rejected" / (TestId(1) + ".jsonl")));
  EXPECT_EQ(StoredTests(), (std::map<std::string, int64_t>{{"S.T1", 1}}));
}

// A delivery that was killed between writing and removing, after which a file was edited, is not a contradiction.
TEST_F(DeliveryTest, TakesARunForDeliveredWhenOnlyItsSurroundingsChanged) {
  const auto put = [&](const std::string& project) {
    PutJournal(spool(), 1,
               DeadHeader(1).SetText("project", project).Line() +
                   "[\"S.T1\",1,1000,{\"at_us\":5,\"message\":\"m\"},\"failed\",1]\n" + kFailedEnd);
  };
  put("b");
  DeliverPending(resolved_, std::chrono::seconds(1));
  put("a");
  const DeliverySummary account = DeliverPending(resolved_, std::chrono::seconds(1));
  EXPECT_EQ(account.rejected, 0);
  EXPECT_EQ(account.runs, 1);
  EXPECT_EQ(Waiting(), 0u);
  const auto stored = Stored();
  ASSERT_THAT(stored, SizeIs(1));
  EXPECT_THAT(stored[0].failures, SizeIs(1));
}

TEST_F(DeliveryTest, EndsInTimeAndSaysWhatIsLeft) {
  for (uint64_t i = 1; i <= 2000; ++i) PutJournal(spool(), i, JournalText(i));
  DeliveryOptions options;
  options.until = std::chrono::steady_clock::now();
  const DeliverySummary account = Deliver(resolved_, options);
  // The batches in flight are completed, and there are four at most.
  EXPECT_GE(account.runs, 256);
  EXPECT_LE(account.runs, 4 * 256);
  EXPECT_EQ(account.runs + account.kept, 2000);
  ASSERT_THAT(account.messages, SizeIs(1));
  EXPECT_THAT(account.messages[0], HasSubstr(std::to_string(account.kept) + " more runs"));
  EXPECT_EQ(Waiting(), static_cast<size_t>(account.kept));
  EXPECT_EQ(Deliver(resolved_, {}).runs, account.kept);
  ExpectEachOnce(2000);
}

TEST_F(DeliveryTest, ADryRunOnlyCounts) {
  for (uint64_t i = 1; i <= 3; ++i) PutJournal(spool(), i, JournalText(i));
  DeliveryOptions options;
  options.dry_run = true;
  EXPECT_EQ(Deliver(resolved_, options).runs, 3);
  EXPECT_EQ(Waiting(), 3u);
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(DeliveryTest, TheProgramSaysOneSentence) {
  for (uint64_t i = 1; i <= 2; ++i) PutJournal(spool(), i, JournalText(i));
  EXPECT_EQ(StatusOf(StartProgram({"--dry-run"})), 0);
  EXPECT_EQ(StatusOf(StartProgram()), 0);
  EXPECT_EQ(StatusOf(StartProgram()), 0);
  const std::string shown = "sqlite:" + file().string();
  EXPECT_THAT(Output(), HasSubstr("would deliver 2 runs (2 parts) to " + shown));
  EXPECT_THAT(Output(), HasSubstr("\ndelivered 2 runs (2 parts) to " + shown));
  EXPECT_THAT(Output(), ::testing::EndsWith("\nnothing to deliver\n"));
  fs::remove(folder_.File("output"));
  PutJournal(spool(), 3, JournalText(3));
  EXPECT_EQ(StatusOf(StartProgram({"--json"})), 0);
  EXPECT_THAT(Output(), HasSubstr("\"runs\": 1,"));
}

TEST_F(DeliveryTest, QuietlyMeansNoLineOrOne) {
  PutJournal(spool(), 1, JournalText(1));
  EXPECT_EQ(StatusOf(StartProgram({"--quiet"})), 0);
  EXPECT_EQ(Output(), "");
  PutJournal(spool(), 2, "damaged\n");
  PutJournal(spool(), 3, "damaged\n");
  EXPECT_EQ(StatusOf(StartProgram({"--quiet"})), 3);
  const std::string output = Output();
  EXPECT_THAT(output, HasSubstr("line 1 is not JSON"));
  EXPECT_EQ(std::count(output.begin(), output.end(), '\n'), 1) << output;
  // Another process is delivering: a user gets a message, a test program does not.
  fs::remove(folder_.File("output"));
  PutJournal(spool(), 4, JournalText(4));
  const auto lock = SpoolLock::Take(spool(), std::chrono::milliseconds(0));
  EXPECT_EQ(StatusOf(StartProgram({"--quiet"})), 0);
  EXPECT_EQ(Output(), "");
  setenv("FLAKY_TESTS_DELIVERY_TIMEOUT", "0", 1);
  EXPECT_EQ(StatusOf(StartProgram()), 11);
  unsetenv("FLAKY_TESTS_DELIVERY_TIMEOUT");
  EXPECT_THAT(Output(), HasSubstr("another process is delivering"));
}

// A test program has stopped waiting: the reason is kept for the next command that reads the history.
TEST_F(DeliveryTest, AnUnreadReasonIsKeptForTheNextCommand) {
  PutJournal(spool(), 1, "damaged\n");
  const std::string broken = (folder_.path() / "no" / "folder.db").string();
  for (const bool can_deliver : {true, false}) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    close(ends[0]);  // before the program starts, so that it finds no reader
    const pid_t child = fork();
    if (child == 0) {
      setenv("FLAKY_TESTS_SPOOL", spool().c_str(), 1);
      setenv("FLAKY_TESTS_DB", file().c_str(), 1);
      dup2(ends[1], STDERR_FILENO);
      if (!can_deliver) setenv("FLAKY_TESTS_DB", broken.c_str(), 1);
      execl(FLAKY_PROGRAM, FLAKY_PROGRAM, "deliver", "--quiet", "--answer", nullptr);
      _exit(127);
    }
    close(ends[1]);
    StatusOf(child);
    EXPECT_TRUE(fs::exists(spool() / "trouble"));
    if (can_deliver) {
      EXPECT_THAT(ReadWholeFile((spool() / "trouble").string()), HasSubstr("line 1 is not JSON"));
      fs::remove(spool() / "trouble");
      PutJournal(spool(), 2, JournalText(2));
    }
  }
  setenv("FLAKY_TESTS_SPOOL", spool().c_str(), 1);
  setenv("FLAKY_TESTS_DB", file().c_str(), 1);
  for (const bool first : {true, false}) {
    std::ostringstream out, err;
    const char* const arguments[] = {"flaky", "runs", "--all"};
    EXPECT_EQ(RunProgram(3, arguments, out, err), 0);
    EXPECT_EQ(err.str().find("a delivery in the background failed at ") != std::string::npos, first) << err.str();
  }
  unsetenv("FLAKY_TESTS_SPOOL");
  unsetenv("FLAKY_TESTS_DB");
}

TEST_F(DeliveryTest, AnswersWithAnEmptyLineIfAllIsWell) {
  PutJournal(spool(), 1, JournalText(1));
  EXPECT_EQ(StatusOf(StartProgram({"--quiet", "--answer"})), 0);
  EXPECT_EQ(Output(), "\n");
}

TEST_F(DeliveryTest, ReportsThatItsTimeIsOver) {
  PutJournal(spool(), 1, JournalText(1));
  const auto lock = SpoolLock::Take(spool(), std::chrono::milliseconds(0));
  const pid_t child = StartProgram({"--quiet", "--answer"}, {{"FLAKY_TESTS_DELIVERY_TIMEOUT", "3600"}});
  // Before it handles the signal, it would just end.
  WaitFor("its handler of SIGALRM", [&] {
    const std::string status = ReadWholeFile("/proc/" + std::to_string(child) + "/status");
    const size_t at = status.find("SigCgt:\t");
    return at != std::string::npos && (std::stoull(status.substr(at + 8, 17), nullptr, 16) >> (SIGALRM - 1) & 1) != 0;
  });
  ::kill(child, SIGALRM);
  const int status = StatusOf(child);
  if (status == 0) return;  // it had given up already, because another process delivers
  EXPECT_EQ(status, 10);
  EXPECT_THAT(Output(), HasSubstr("flaky: `flaky deliver` did not end within 3600 s (FLAKY_TESTS_DELIVERY_TIMEOUT); "));
}

TEST_F(DeliveryTest, WorksWithoutStandardDescriptorsAndClosesInheritedOnes) {
  PutJournal(spool(), 1, JournalText(1));
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    setenv("FLAKY_TESTS_SPOOL", spool().c_str(), 1);
    setenv("FLAKY_TESTS_DB", file().c_str(), 1);
    for (int fd = 0; fd <= 2; ++fd) close(fd);
    execl(FLAKY_PROGRAM, FLAKY_PROGRAM, "deliver", "--quiet", nullptr);
    _exit(127);
  }
  close(ends[1]);
  EXPECT_EQ(StatusOf(child), 0);
  close(ends[0]);
  ExpectEachOnce(1);
}

TEST_F(DeliveryTest, MakesTheDefaultStoresFolderForItsUserAlone) {
  PutJournal(spool(), 1, JournalText(1));
  const fs::path state = folder_.path() / "state";
  const pid_t child = fork();
  if (child == 0) {
    umask(0);
    setenv("XDG_STATE_HOME", state.c_str(), 1);
    setenv("FLAKY_TESTS_SPOOL", spool().c_str(), 1);
    unsetenv("FLAKY_TESTS_DB");
    execl(FLAKY_PROGRAM, FLAKY_PROGRAM, "deliver", "--quiet", nullptr);
    _exit(127);
  }
  EXPECT_EQ(StatusOf(child), 0);
  EXPECT_EQ(fs::status(state / "flaky").permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(state / "flaky" / "history.db").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

}  // namespace
}  // namespace flaky

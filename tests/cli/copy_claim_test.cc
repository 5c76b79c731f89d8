// SPDX-License-Identifier: MIT
#include "cli/copy_claim.h"

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "spool/journal.h"
#include "stores/memory/memory_store.h"
#include "tests/cli/program_fixture.h"
#include "tests/support/wait_for.h"

namespace flaky {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

json TextOf(const ProcessId& process) {
  return {{"host", process.host},       {"pid", process.pid},       {"pid_start", process.pid_start},
          {"boot_id", process.boot_id}, {"pid_ns", process.pid_ns}, {"since", "2026-01-02T03:04:05.678Z"}};
}

// A process on another machine. This machine cannot find out whether it still runs.
json Elsewhere() {
  ProcessId process = ThisProcess();
  process.host = "ci-7";
  process.boot_id = "another";
  return TextOf(process);
}

class CopyClaimTest : public ProgramTest {
 protected:
  CopyClaimTest() {
    Keep({BuildRecord("run").Project("demo").Part("p1", 0, 1).Fail("S.A").Build()});
    target_ = OpenStore(ParseLocation("sqlite:" + Path("new.db")), OpenMode::kWrite);
  }
  Outcome Copy(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"migrate-store", "--from", "sqlite:" + Path("h.db"), "--to",
                                          "sqlite:" + Path("new.db")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Run(arguments);
  }
  // Returns who holds the claim; empty if it is free. Leaves the claim as it was.
  std::string Holder() {
    const std::string holder = target_->Claim("test", 60s, "").holder;
    target_->Claim("test", 0s, "");
    return holder == "test" ? "" : holder;
  }

  // Waits until the program's log has this text; false if that takes too long. For threads other than the test's.
  bool Logs(const std::string& text) const {
    try {
      return WaitFor("a message in the log", [&] { return Content(Path("log")).find(text) != std::string::npos; });
    } catch (const std::exception&) {
      return false;
    }
  }

  std::unique_ptr<Store> target_;
};

TEST_F(CopyClaimTest, IsReleasedAtTheEnd) {
  EXPECT_EQ(Copy().code, 0);
  EXPECT_EQ(Holder(), "");
  EXPECT_EQ(Run({"import", "--to", "sqlite:" + Path("new.db"), "nothing.jsonl"}).code, 10);
  EXPECT_EQ(Holder(), "");
}

TEST_F(CopyClaimTest, ASecondCopyOnThisMachineIsRefused) {
  target_->Claim(TextOf(ThisProcess()).dump(), 600s, "");
  const Outcome outcome = Copy();
  EXPECT_EQ(outcome.code, 11);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("another copy into sqlite:" + Path("new.db") + " is running (process " +
                                           std::to_string(ThisProcess().pid)),
                                 HasSubstr("since 2026-01-02T03:04:05.678Z"), HasSubstr("--wait")));
  EXPECT_EQ(target_->Count({}).runs, 0);
  EXPECT_EQ(Copy({"--dry-run"}).code, 0) << "a dry run writes nothing";
}

TEST_F(CopyClaimTest, IsTakenAtOnceIfItsProcessIsGone) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ProcessId gone = ThisProcess();
  gone.pid = child;
  target_->Claim(TextOf(gone).dump(), 600s, "");
  const Outcome outcome = Copy();
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(target_->Count({}).runs, 1);
}

TEST_F(CopyClaimTest, AClaimOfAnotherMachineIsWaitedForUntilItExpires) {
  const std::string holder = Elsewhere().dump();
  target_->Claim(holder, 600s, "");
  Set("FLAKY_TESTS_LOG_FILE", Path("log"));
  std::jthread letting_it_expire([&] {
    if (Logs("checking whether it is still alive")) target_->Claim(holder, 1s, "");
  });
  EXPECT_EQ(Copy().code, 0);
  letting_it_expire.join();
  EXPECT_THAT(Content(Path("log")), HasSubstr(" on ci-7, since 2026"));
  EXPECT_EQ(target_->Count({}).runs, 1);
}

TEST_F(CopyClaimTest, ARenewedClaimOfAnotherMachineIsNotTaken) {
  const std::string holder = Elsewhere().dump();
  target_->Claim(holder, 600s, "");
  Set("FLAKY_TESTS_LOG_FILE", Path("log"));
  std::jthread renewing([&] {
    if (Logs("checking whether it is still alive")) target_->Claim(holder, 3600s, "");
  });
  EXPECT_EQ(Copy().code, 11);
  renewing.join();
  EXPECT_EQ(target_->Count({}).runs, 0);
  EXPECT_EQ(Holder(), holder);
}

TEST_F(CopyClaimTest, IsWaitedForIfAskedTo) {
  const std::string holder = TextOf(ThisProcess()).dump();
  target_->Claim(holder, 600s, "");
  Set("FLAKY_TESTS_LOG_FILE", Path("log"));
  std::atomic<bool> waits = false;
  std::jthread other([&] {
    waits = Logs("waiting for it to end");
    target_->Claim(holder, 0s, "");
  });
  EXPECT_EQ(Copy({"--wait"}).code, 0);
  EXPECT_TRUE(waits);
  other.join();
  EXPECT_EQ(target_->Count({}).runs, 1);
}

TEST_F(CopyClaimTest, AnUnreadableClaimIsWaitedForLikeAnyOther) {
  for (const char* text : {"\x1b[31m not json", "[]", R"({"pid":"x","host":7,"boot_id":"\u001b[31m"})"}) {
    target_->Claim(text, 1s, "");
    const Outcome outcome = Copy();
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.err, Not(HasSubstr("\x1b")));
  }
}

// CopyClaimHolder by itself, with a store in memory.
class CopyClaimHolderTest : public testing::Test {
 protected:
  std::ostringstream out_, err_;
  StatusLine messages_{err_};
  Session session_{Settings(), out_, messages_};
  std::chrono::steady_clock::time_point now_;
  const CopyClaimHolder::Clock clock_ = [this] { return now_; };
  std::unique_ptr<Store> store_ = OpenMemory(MakeMemoryHistory(clock_), OpenMode::kWrite);
  StoreSink sink_{*store_};
  const std::vector<RunRecord> records_ = {BuildRecord("run").Build()};
};

TEST_F(CopyClaimHolderTest, ACopyThatLostItsClaimStops) {
  CopyClaimHolder claim(session_, sink_, *store_, 60s, clock_);
  claim.Take(false);
  EXPECT_EQ(claim.Write(records_, OnExisting::kMerge).size(), 1u);
  now_ += 61s;
  ASSERT_EQ(store_->Claim(Elsewhere().dump(), 60s, "").lapses, 60s);
  try {
    claim.Write(records_, OnExisting::kMerge);
    ADD_FAILURE() << "no error";
  } catch (const CommandError& error) {
    EXPECT_EQ(error.code(), ExitCode::kLocked);
    EXPECT_THAT(error.what(), HasSubstr("on ci-7"));
  }
}

TEST_F(CopyClaimHolderTest, IsRenewedWhileTheCopyWrites) {
  CopyClaimHolder claim(session_, sink_, *store_, 60s, clock_);
  claim.Take(false);
  for (int i = 0; i < 5; ++i) {
    now_ += 21s;
    claim.Write(records_, OnExisting::kMerge);
    EXPECT_THAT(store_->Claim("another", 60s, "").holder, HasSubstr("pid_start")) << i;
  }
  claim.GiveUp();
  EXPECT_EQ(store_->Claim("another", 60s, "").holder, "another");
}

}  // namespace
}  // namespace flaky

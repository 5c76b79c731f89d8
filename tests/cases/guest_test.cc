// SPDX-License-Identifier: MIT

// Programs that replace the C library, run on small stacks, filter their system calls, destroy the journal or contain
// several GoogleTests: they end as without the recorder, and the journal says what happened.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/loop.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "tests/recorder/fixture_run.h"

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class Guest : public FixtureTest {
 protected:
  // Runs the program with the recorder and without it, and expects the same status and stdout.
  Outcome RunBoth(const std::string& filter) {
    const Outcome plain = Run(GUEST "_plain", {"--gtest_filter=" + filter});
    Outcome recorded = Run(GUEST, {"--gtest_filter=" + filter});
    EXPECT_EQ(recorded.status, plain.status) << recorded.err;
    EXPECT_EQ(WithoutTimes(recorded.out), WithoutTimes(plain.out));
    return recorded;
  }

  // Returns the names of the tests in all journals.
  std::vector<std::string> AllTests() const {
    std::vector<std::string> names;
    for (const Recorded& journal : Journals()) {
      for (const nlohmann::json& line : journal.lines) {
        if (line.is_array()) names.push_back(line[0]);
      }
    }
    return names;
  }

  void ExpectOneRun() const {
    for (const Recorded& journal : Journals()) {
      EXPECT_EQ(journal.header["process_run_id"], Journals()[0].header["process_run_id"]);
    }
  }
};

TEST_F(Guest, NoReplacedFunctionIsCalled) {
  const Outcome outcome = Run(GUEST "_wrapped");
  EXPECT_EQ(ExitStatus(outcome), 1) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  const Recorded journal = TheJournal();
  EXPECT_EQ(journal.OutcomeOf("Wrapped.Passes"), "passed");
  EXPECT_EQ(journal.OutcomeOf("Wrapped.Fails"), "failed");
  EXPECT_EQ(journal.OutcomeOf("Wrapped.Skips"), "skipped");
  EXPECT_EQ(journal.End(), false);
}

TEST_F(Guest, APreloadedClockDoesNotChangeDurations) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer's library must be the first one";
  env["LD_PRELOAD"] = GUEST_FROZEN_CLOCK;
  EXPECT_EQ(RunBoth("Slow.Sleeps").err, "");
  const nlohmann::json result = TheJournal().Results("Slow.Sleeps").at(0);
  EXPECT_GE(result[4], 20000) << result;
  EXPECT_GT(TheJournal().header["started_us"], 1600000000000000) << "also the time of the start is real";
}

TEST_F(Guest, TestsRunOnASmallStack) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer needs more stack than the program";
  for (const char* size : {"16384", "20480", "32768", "65536"}) {
    env["GUEST_STACK"] = size;
    RunBoth("Plain.*");
    const Recorded journal = TheJournal();
    EXPECT_EQ(journal.OutcomeOf("Plain.Fails"), "failed") << size;
    EXPECT_EQ(journal.End(), false) << size;
    std::filesystem::remove_all(spool());
  }
}

TEST_F(Guest, AProgramThatClearsItsEnvironmentIsRecorded) {
  env["GUEST_RUNS"] = "without environment";
  EXPECT_EQ(RunBoth("Plain.Passes").err, "");
  EXPECT_EQ(TheJournal().OutcomeOf("Plain.Passes"), "passed");
}

TEST_F(Guest, ChildrenThatCallNoForkHandlerWriteNothing) {
  EXPECT_EQ(ExitStatus(RunBoth("Child.*")), 0);
  const Recorded journal = TheJournal();
  for (const nlohmann::json& line : journal.lines) EXPECT_THAT(line.dump(), testing::Not(HasSubstr("in the child")));
  EXPECT_EQ(journal.OutcomeOf("Child.OfRawClone"), "passed");
  EXPECT_EQ(journal.OutcomeOf("Child.RunsTests"), "passed");
  EXPECT_EQ(journal.OutcomeOf("Child.Next"), "passed");
  EXPECT_EQ(journal.End(), true);
}

TEST_F(Guest, WorkersAreRecordedAsPartsOfOneRun) {
  env["GUEST_RUNS"] = "workers";
  RunBoth("*");
  EXPECT_THAT(AllTests(), UnorderedElementsAre("Plain.Passes", "Plain.Fails"));
  ExpectOneRun();
  std::filesystem::remove_all(spool());

  env["GUEST_RUNS"] = "workers afterwards";
  RunBoth("*");
  EXPECT_THAT(AllTests(), UnorderedElementsAre("Values.AreSecure", "Plain.Passes", "Plain.Fails"));
  ExpectOneRun();
  std::vector<int> pids;
  for (const Recorded& journal : Journals()) pids.push_back(journal.header["pid"]);
  std::sort(pids.begin(), pids.end());
  EXPECT_EQ(std::unique(pids.begin(), pids.end()), pids.end());
}

TEST_F(Guest, TheEndNeedsNoSystemCall) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer makes system calls too";
  for (const char* test : {"Kills", "Refuses", "RefusesEvenItsLocks"}) {
    const std::string name = std::string("Sandbox.") + test;
    EXPECT_EQ(RunBoth(name + ":Sandbox.Next").err, "") << test;
    const Recorded journal = TheJournal();
    EXPECT_EQ(journal.OutcomeOf(name), "passed");
    EXPECT_EQ(journal.OutcomeOf("Sandbox.Next"), "passed") << test;
    EXPECT_EQ(journal.End(), true) << test;
    std::filesystem::remove_all(spool());
  }
}

TEST_F(Guest, OnlyAnExitByTheTestIsRecordedAsOne) {
  RunBoth("Left.ByExit");
  EXPECT_EQ(TheJournal().Results("Left.ByExit").at(0).back(), 5);
  std::filesystem::remove_all(spool());
  for (const char* test : {"Left.ByLongjmp", "Left.ByThread"}) {
    RunBoth(test);
    EXPECT_EQ(TheJournal().OutcomeOf(test), "exited");
    EXPECT_EQ(TheJournal().Results(test).at(0).back(), "open") << test;
    std::filesystem::remove_all(spool());
  }
  env["GUEST_RUNS"] = "throwing";
  for (const char* catches : {"1", "0"}) {
    env["GTEST_CATCH_EXCEPTIONS"] = catches;
    RunBoth("Plain.Passes");
    EXPECT_EQ(TheJournal().Results("Plain.Passes").at(0).back(), "open") << TheJournal().text;
    std::filesystem::remove_all(spool());
  }
}

// What the destructors of static objects report belongs to the test that called exit().
TEST_F(Guest, AFailureAfterAnExitIsKeptBeforeIt) {
  env["GUEST_RUNS"] = "failing at exit";
  RunBoth("Left.ByExit");
  const nlohmann::json result = TheJournal().Results("Left.ByExit").at(0);
  EXPECT_THAT(TheJournal().MessagesOf("Left.ByExit"), ElementsAre(HasSubstr("at exit")));
  EXPECT_EQ(result.back(), 5);
}

TEST_F(Guest, AJournalThatATestCutsEndsTheRecordingWithAWarning) {
  for (const char* test : {"ToNothing", "WithinAPage"}) {
    std::filesystem::create_directory(spool());  // without the recorder, too
    const Outcome outcome = RunBoth(std::string("Cut.") + test + ":Cut.Next*");
    EXPECT_EQ(outcome.err, "flaky: the recording is incomplete: The journal was truncated: " + spool().string() + "\n");
    std::filesystem::remove_all(spool());
  }
}

// btrfs needs new space at any store. Needs root and a loop device, which CI has.
TEST_F(Guest, AFullDiskThatNeedsSpaceAtEachStoreEndsNoProgram) {
  if (getuid() != 0) GTEST_SKIP() << "mounting a loop device needs root";
  if (access("/dev/loop-control", F_OK) != 0) GTEST_SKIP() << "this machine has no loop devices";
  std::ifstream known("/proc/filesystems");
  if (std::string(std::istreambuf_iterator<char>(known), {}).find("\tbtrfs\n") == std::string::npos &&
      std::system("modprobe btrfs 2>&1") != 0) {
    GTEST_SKIP() << "this kernel has no btrfs";
  }
  const std::string image = (folder() / "disk").string(), disk = (folder() / "mounted").string();
  std::filesystem::create_directory(disk);
  std::ofstream(image).close();
  std::filesystem::resize_file(image, 32 << 20);
  ASSERT_EQ(std::system(("mkfs.btrfs -q --mixed " + image + " && mount -o loop " + image + " " + disk).c_str()), 0)
      << "install btrfs-progs; in a container, allow it to mount";
  env["FLAKY_TESTS_SPOOL"] = disk + "/spool";
  const Outcome outcome = Run(GUEST, {"--gtest_filter=Disk*"});
  const std::vector<Recorded> journals = ReadAll(disk + "/spool");
  EXPECT_EQ(std::system(("umount " + disk).c_str()), 0);
  EXPECT_EQ(ExitStatus(outcome), 1) << outcome.err << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr("[  PASSED  ] 3 tests."));
  // The last of the tests has made room again.
  ASSERT_EQ(journals.size(), 1u);
  EXPECT_EQ(journals[0].OutcomeOf("Disk.IsFilled"), "passed");
  EXPECT_EQ(journals[0].Lost(), "No space left on device");
  EXPECT_EQ(journals[0].End(), false);
  EXPECT_THAT(outcome.err, HasSubstr("flaky: the recording is incomplete: No space left on device"));
}

TEST_F(Guest, AProgramWithMoreRightsThanItsCallerRecordsNothing) {
  if (getuid() != 0) GTEST_SKIP() << "only root can make a program run as another user";
  if (kSanitized) GTEST_SKIP() << "a sanitizer refuses to run in such a program";
  constexpr uid_t kOwner = 64123, kCaller = 64124;
  const std::string program = (folder() / "guest").string();
  ASSERT_EQ(chmod(folder().c_str(), 0777), 0);
  std::filesystem::copy_file(GUEST, program);
  ASSERT_EQ(chown(program.c_str(), kOwner, kOwner), 0);
  env["FLAKY_TESTS_PROGRAM"] = "/bin/false";
  env["FLAKY_TESTS_DELIVERY_TIMEOUT"] = "10";
  in_child = [&] {
    if (setgid(kCaller) != 0 || setuid(kCaller) != 0) _exit(126);
  };
  for (const mode_t mode : {04755, 02755}) {
    ASSERT_EQ(chmod(program.c_str(), mode), 0);
    const Outcome outcome = Run(program, {"--gtest_filter=Values.*"});
    EXPECT_EQ(ExitStatus(outcome), 0);
    EXPECT_EQ(outcome.err, "");
    EXPECT_THAT(outcome.out, HasSubstr("secure 1\n")) << "the file system ignores the bit";
    EXPECT_FALSE(std::filesystem::exists(spool()));
  }
  ASSERT_EQ(chmod(program.c_str(), 0755), 0);
  Run(program, {"--gtest_filter=Values.*"});
  EXPECT_TRUE(std::filesystem::exists(spool())) << "without the bit it is recorded";
}

TEST_F(Guest, EachGoogleTestOfAProcessIsRecordedOnce) {
  const Outcome outcome = Run(GUEST "_host", {GUEST_PLUGIN_A, GUEST_PLUGIN_B, GUEST_PLUGIN_A});
  EXPECT_EQ(ExitStatus(outcome), 0) << outcome.out;
  // The first plugin's tests run twice.
  EXPECT_THAT(AllTests(), UnorderedElementsAre("PluginA.Passes", "PluginB.Passes", "PluginA.Passes"));
  ExpectOneRun();
}

TEST_F(Guest, TwoHiddenRecordersOfOneGoogleTestRecordOnce) {
  const Outcome outcome = Run(GUEST "_two_recorders");
  EXPECT_EQ(ExitStatus(outcome), 0) << outcome.err;
  EXPECT_THAT(AllTests(), UnorderedElementsAre("InALibraryWithItsOwnRecorder.Passes", "InTheProgram.Passes"));
}

}  // namespace
}  // namespace flaky

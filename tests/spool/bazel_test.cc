// SPDX-License-Identifier: MIT

// Journals of tests that Bazel started: which run they belong to, and when they are ready.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstring>
#include <thread>

#include "spool/grouping.h"
#include "spool/journal_parser.h"
#include "tests/spool/spool_fixture.h"

namespace flaky {
namespace {

using ::testing::SizeIs;

HeaderText UnderBazel(uint64_t number, const std::string& command_ns) {
  return DeadHeader(number)
      .SetText("parent_name", "test-setup.sh")
      .SetText("bazel_target", "//shop:shop_test")
      .SetText("bazel_execroot", "/home/you/.cache/bazel/1/execroot/_main")
      .Set("bazel_command_ns", command_ns);
}

std::string RunIdOf(const HeaderText& header) { return GroupingOf(ParseJournal(header.Line())).run_id; }

TEST_F(SpoolTest, TestsOfOneBazelCommandAreOneRunWithAPartEach) {
  const std::string failed = "[\"S.A\",1,1000,{\"at_us\":1001,\"message\":\"no\"},\"failed\",1]\n";
  PutJournal(spool(), 1, UnderBazel(1, "1700000000000000001").Line() + failed + kFailedEnd);
  PutJournal(spool(), 2, UnderBazel(2, "1700000000000000001").Line() + R"(["S.A",1,1000)");
  PutJournal(spool(), 3, UnderBazel(3, "1700000000000000001").Line() + kOneTest + kPassedEnd);
  PutJournal(spool(), 4, UnderBazel(4, "1700000000000000002").Line() + kOneTest + kPassedEnd);
  const Taken taken = TakeAll(Deliver);
  ASSERT_THAT(taken.records, SizeIs(2));
  const RunRecord& retried = taken.records[taken.records[0].parts.size() == 3 ? 0 : 1];
  ASSERT_THAT(retried.parts, SizeIs(3));
  EXPECT_THAT(retried.failures, SizeIs(1)) << "it is not known what ended the second";
  EXPECT_EQ(retried.run.account.passed_tests, 1);
  EXPECT_EQ(retried.run.account.failed_tests, 1);
}

TEST(BazelGrouping, DependsOnTheCommandAndTheMachine) {
  const std::string run = RunIdOf(UnderBazel(1, "17"));
  EXPECT_EQ(RunIdOf(UnderBazel(2, "17")), run);
  EXPECT_EQ(RunIdOf(UnderBazel(2, "1700000000000000001")).substr(0, 13), "018bcfe568007")
      << "a UUID of version 7 with the time of the command";
  EXPECT_EQ(RunIdOf(UnderBazel(2, "17").SetText("bazel_target", "//shop:other_test")), run);
  EXPECT_EQ(RunIdOf(UnderBazel(2, "17").Set("bazel_run", "2").SetText("pid_ns", "7").Set("parent_pid", "9")), run);
  EXPECT_NE(RunIdOf(UnderBazel(2, "18")), run);
  EXPECT_NE(RunIdOf(UnderBazel(2, "17").SetText("boot_id", "another")), run);
  EXPECT_NE(RunIdOf(UnderBazel(2, "17").SetText("bazel_execroot", "/home/you/.cache/bazel/2/execroot/_main")), run);
}

TEST(BazelGrouping, ARunIdThatWasSetWins) {
  EXPECT_EQ(RunIdOf(UnderBazel(1, "17").SetText("run_id", "build-1")), "build-1");
}

TEST(BazelGrouping, DoesNotApplyIfTheCommandIsNotKnown) {
  const std::string own = TestId(0x1000001);
  EXPECT_EQ(RunIdOf(UnderBazel(1, "17").Remove("bazel_command_ns")), own);
  EXPECT_EQ(RunIdOf(UnderBazel(1, "17").Remove("bazel_execroot")), own);
  EXPECT_EQ(RunIdOf(UnderBazel(1, "17").Remove("boot_id")), own);
}

TEST(BazelGrouping, ACtestInsideABazelTestIsAPartOfThatRun) {
  const auto under_ctest = [](uint64_t number) {
    return UnderBazel(number, "17").SetText("parent_name", "ctest").Set("parent_pid", "4").Set("parent_start", "5");
  };
  const RunGrouping first = GroupingOf(ParseJournal(under_ctest(1).Line()));
  const RunGrouping second = GroupingOf(ParseJournal(under_ctest(2).Line()));
  EXPECT_EQ(first.group, second.group);
  EXPECT_EQ(first.run_id, RunIdOf(UnderBazel(3, "17")));
  EXPECT_EQ(second.run_id, first.run_id);
}

TEST_F(SpoolTest, ProcessesOfOtherMachinesAreGoneAfterTheirTimeLimit) {
  const auto elsewhere = [](uint64_t number) {
    return UnderBazel(number, "17").SetText("boot_id", "elsewhere").SetText("host", "elsewhere");
  };
  PutJournal(spool(), 1, elsewhere(1).Set("time_limit_s", "60").Line() + R"(["S.A",1,2)");
  PutJournal(spool(), 2, elsewhere(2).Set("time_limit_s", "3600").Line() + R"(["S.A",1,2)");
  PutJournal(spool(), 3, elsewhere(3).Line() + R"(["S.A",1,2)");
  PutJournal(spool(), 4, elsewhere(4).Set("time_limit_s", "9000000000000000000").Line() + R"(["S.A",1,2)");
  EXPECT_EQ(TakeAll(Deliver).report.unknown, 4);
  for (uint64_t i = 1; i <= 4; ++i) {
    fs::last_write_time(FileOf(i), fs::file_time_type::clock::now() - std::chrono::minutes(20));
  }
  EXPECT_EQ(TakeAll(Deliver).report.unknown, 3);
  EXPECT_FALSE(fs::exists(FileOf(1)));
}

// A child process in a nested pid namespace that waits for End(). known() is its identity as it sees itself.
class NestedProcess {
 public:
  NestedProcess() {
    int tell[2], wait[2];
    if (pipe2(tell, O_CLOEXEC) != 0 || pipe2(wait, O_CLOEXEC) != 0) return;
    end_ = wait[1];
    outer_ = fork();
    if (outer_ == 0) {
      close(wait[1]);
      const int spaces = CLONE_NEWPID | (geteuid() == 0 ? 0 : CLONE_NEWUSER);
      if (unshare(spaces) != 0) _exit(2);
      const pid_t first = fork();
      if (first != 0) _exit(waitpid(first, nullptr, 0) == first ? 0 : 1);
      const pid_t writer = fork();
      if (writer == 0) {
        // /proc belongs to the outer namespace, but `self` in it still means this process.
        struct stat ns {};
        stat("/proc/self/ns/pid", &ns);
        const std::string line = std::to_string(getpid()) + ' ' + OwnStart() + ' ' + std::to_string(ns.st_ino) + '\n';
        if (write(tell[1], line.data(), line.size()) < 0) _exit(1);
        char nothing;
        _exit(read(wait[0], &nothing, 1) == 0 ? 0 : 1);
      }
      _exit(waitpid(writer, nullptr, 0) == writer ? 0 : 1);
    }
    close(tell[1]);
    close(wait[0]);
    char line[100] = {};
    const ssize_t size = read(tell[0], line, sizeof line - 1);
    close(tell[0]);
    known_ = ThisProcess();
    std::istringstream(std::string(line, size > 0 ? static_cast<size_t>(size) : 0)) >> known_.pid >> known_.pid_start >>
        known_.pid_ns;
  }
  ~NestedProcess() { End(); }

  const ProcessId& known() const { return known_; }
  void End() {
    if (outer_ <= 0) return;
    close(end_);
    waitpid(std::exchange(outer_, 0), nullptr, 0);
  }

 private:
  ProcessId known_;
  pid_t outer_ = 0;
  int end_ = -1;
};

TEST(IsAlive, SeesProcessesInTheNamespacesOfSandboxes) {
  NestedProcess process;
  ProcessId writer = process.known();
  ASSERT_NE(writer.pid_ns, ThisProcess().pid_ns) << "this test needs a pid namespace: " << std::strerror(errno);
  EXPECT_LT(writer.pid, 10);
  EXPECT_EQ(IsAlive(writer), Alive::kYes);
  ProcessId before = writer;
  before.pid_start = std::to_string(std::stoll(writer.pid_start) - 1);
  EXPECT_NE(IsAlive(before), Alive::kYes) << "another process with the same pid";
  process.End();
  EXPECT_NE(IsAlive(writer), Alive::kYes);
}

TEST(IsAlive, KnowsThatASandboxIsGoneIfItsBazelIsVisible) {
  ProcessId writer = ThisProcess();
  writer.pid_ns = "1";
  writer.pid = 2;
  writer.output_base = "/home/you/.cache/bazel/of-" + std::to_string(getpid());
  // Every process is visible in the namespace of the whole system. In another one, processes outside are not.
  const Alive unless_seen = ThisProcess().pid_ns == "4026531836" ? Alive::kNo : Alive::kCannotTell;
  EXPECT_EQ(IsAlive(writer), unless_seen);

  int input[2];
  ASSERT_EQ(pipe2(input, O_CLOEXEC), 0);
  const pid_t server = fork();
  if (server == 0) {
    dup2(input[0], STDIN_FILENO);
    const std::string argument = "--output_base=" + writer.output_base;
    execl("/bin/sh", "bazel(shop)", "-c", "read line", "java", argument.c_str(), nullptr);
    _exit(99);
  }
  const std::string arguments = "/proc/" + std::to_string(server) + "/cmdline";
  for (int i = 0; i < 6000 && ReadWholeFile(arguments).find("of-") == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ASSERT_THAT(ReadWholeFile(arguments), ::testing::HasSubstr("of-")) << "the server did not start within a minute";
  EXPECT_EQ(IsAlive(writer), Alive::kNo);
  writer.output_base += "0";
  EXPECT_EQ(IsAlive(writer), unless_seen) << "this is another Bazel";
  close(input[1]);
  waitpid(server, nullptr, 0);
}

}  // namespace
}  // namespace flaky

// SPDX-License-Identifier: MIT

// Test programs that do not reach their end: a crash fails the test, an interruption does not, and what no process
// could observe is unknown.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/cli/program_fixture.h"
#include "tests/support/ctest_observer.h"
#include "tests/support/wait_for.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr char kCrashes[] = FLAKY_FIXTURES "/crashes";
const std::string kHangs = std::string(kCrashes) + " --gtest_filter=Before.*:Dies.ByHanging:NeverReached.*";

class EarlyEnd : public ProgramTest {
 protected:
  EarlyEnd() {
    Set("FLAKY_TESTS_PROGRAM", FLAKY_PROGRAM);
    Set("FLAKY_TESTS_SPOOL", Path("spool"));
    Set("FLAKY_TESTS_DELIVERY_WAIT", kLongWait);
    Unset("GTEST_OUTPUT");
  }
  ~EarlyEnd() override {
    if (group_ > 0) ::kill(-group_, SIGKILL);
  }

  // Starts a shell command in its own process group, as a terminal does. Its output goes to files.
  void Start(const std::string& command) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::setpgid(0, 0);
      std::FILE* out = std::freopen(Path("out").c_str(), "w", stdout);
      std::FILE* err = std::freopen(Path("err").c_str(), "w", stderr);
      ::close_range(3, ~0U, 0);  // the log of the ctest that runs this test
      if (out != nullptr && err != nullptr) ::execlp("sh", "sh", "-c", ("exec " + command).c_str(), nullptr);
      ::_exit(99);
    }
    ::setpgid(child, child);
    group_ = child;
  }

  // Waits until the test that hangs is running.
  void AwaitTest() const {
    WaitFor("the test that hangs", [&] {
      if (!std::filesystem::exists(Path("spool"))) return false;
      for (const std::string& name : InSpool()) {
        if (Content(Path("spool/" + name)).find("Dies.ByHanging\"") != std::string::npos) return true;
      }
      return false;
    });
  }

  int End() {
    int status = 0;
    EXPECT_EQ(::waitpid(group_, &status, 0), group_);
    return status;
  }

  void AwaitDelivery() const {
    WaitFor("the delivery", [&] { return std::filesystem::exists(Path("spool")) && InSpool().empty(); });
  }

  void AddTest(const std::string& command) {
    WriteFile("build/CTestTestfile.cmake", Content(Path("build/CTestTestfile.cmake")) + "add_test(test" +
                                               std::to_string(++tests_) + " " + command + ")\n");
  }
  void AwaitTestOfCtest() const {
    AwaitTest();
    WaitFor("the process that watches ctest", [&] { return IsObserved(group_); });
  }
  std::string Ctest() const { return "ctest --test-dir '" + Path("build") + "' -j4"; }

  static json Latest() { return json::parse(Run({"show", "latest", "--json"}).out); }

  // Returns all elements of parts.ended_early that name this test.
  static std::vector<json> EarlyEnds(const json& latest, const std::string& test) {
    std::vector<json> ends;
    for (const json& part : latest["parts"]) {
      for (const json& end : part["ended_early"]) {
        if (end.value("test", "") == test) ends.push_back(end);
      }
    }
    return ends;
  }

  void ExpectInterrupted(const std::string& signal) {
    const json latest = Latest();
    EXPECT_THAT(latest["failures"], IsEmpty()) << latest.dump(1);
    EXPECT_EQ(latest["run"]["status"], json());
    EXPECT_EQ(latest["run"]["failed_tests"], 0);
    EXPECT_EQ(latest["run"]["errors_between_tests"], 0);
    const std::vector<json> ends = EarlyEnds(latest, "Dies.ByHanging");
    ASSERT_THAT(ends, SizeIs(1)) << latest.dump(1);
    EXPECT_EQ(ends[0]["cause"], "interrupted");
    EXPECT_EQ(ends[0]["program"], "crashes");
    EXPECT_EQ(ends[0].value("signal", ""), signal);
    const std::string how = signal.empty() ? "interrupted\n" : "interrupted by " + signal + "\n";
    EXPECT_THAT(Run({"show", "latest"}).out,
                AllOf(HasSubstr("status      interrupted\n"), HasSubstr("Dies.ByHanging  in crashes\n  " + how)));
    EXPECT_THAT(Run({"runs"}).out, HasSubstr("  interrupted  "));
    const Outcome check = Run({"check", "--rule", "npm", "--threshold", "1"});
    EXPECT_EQ(check.code, 6) << check.out;
    EXPECT_THAT(check.out, AllOf(HasSubstr("no newly flaky tests"), HasSubstr("not judged: the latest run "),
                                 HasSubstr("Dies.ByHanging: " + how)));
  }

  pid_t group_ = 0;
  int tests_ = 0;
};

// Ctrl-C reaches all processes of the terminal; a CI system sends a signal to the process that it started.
TEST_F(EarlyEnd, OfAProgramUnderFlakyRunIsAnInterruption) {
  for (const auto& [signal, name] : {std::pair(SIGINT, "SIGINT"), {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}}) {
    for (const bool whole_group : {true, false}) {
      Start(std::string(FLAKY_PROGRAM) + " run -- " + kHangs);
      AwaitTest();
      ::kill(whole_group ? -group_ : group_, signal);
      const int status = End();
      EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal) << status;
      ExpectInterrupted(name);
      EXPECT_EQ(Latest()["run"]["total_tests"], 1) << "Before.Passes";
      EXPECT_EQ(Latest()["run"]["missing_tests"], 2);
    }
  }
}

TEST_F(EarlyEnd, OfACtestUnderFlakyRunIsAnInterruption) {
  AddTest(kHangs);
  for (const bool whole_group : {true, false}) {
    Start(std::string(FLAKY_PROGRAM) + " run -- " + Ctest());
    AwaitTest();
    ::kill(whole_group ? -group_ : group_, SIGTERM);
    End();
    ::kill(-group_, SIGKILL);  // a ctest that ends leaves its tests running; the CI system ends them too
    if (whole_group) ExpectInterrupted("SIGTERM");
    const json latest = Latest();
    EXPECT_THAT(latest["failures"], IsEmpty()) << latest.dump(1);
    EXPECT_EQ(latest["run"]["status"], json());
    const std::vector<json> of_run = EarlyEnds(latest, "");
    EXPECT_THAT(of_run,
                testing::Contains(json({{"cause", "interrupted"}, {"program", "flaky run"}, {"signal", "SIGTERM"}})));
  }
}

TEST_F(EarlyEnd, OfAShellsProgramUnderFlakyRunIsAnInterruption) {
  Start(std::string(FLAKY_PROGRAM) + " run -- sh -c '" + kHangs + "; exit 7'");
  AwaitTest();
  ::kill(-group_, SIGINT);
  End();
  ExpectInterrupted("SIGINT");
}

TEST_F(EarlyEnd, OfPlainCtestIsAnInterruption) {
  AddTest(kHangs);
  for (const int signal : {SIGINT, SIGTERM, SIGKILL}) {
    Start(Ctest());
    AwaitTestOfCtest();
    ::kill(-group_, signal);
    End();
    AwaitDelivery();
    ExpectInterrupted("");
  }
}

TEST_F(EarlyEnd, OfTestsThatEndLaterThanTheirCtestIsAnInterruption) {
  AddTest(kHangs);
  Start(Ctest());
  AwaitTestOfCtest();
  ::kill(group_, SIGINT);
  End();
  ::usleep(300'000);
  ::kill(-group_, SIGTERM);
  AwaitDelivery();
  ExpectInterrupted("");
}

TEST_F(EarlyEnd, ACrashBeforeAnInterruptionIsAFailure) {
  AddTest(std::string(kCrashes) + " --gtest_filter=Dies.ByAbort");
  AddTest(kHangs);
  Start(Ctest());
  AwaitTestOfCtest();
  WaitFor("the note that ctest went on", [&] {
    for (const std::string& name : InSpool()) {
      if (Content(Path("spool/" + name)).find("run_continued") != std::string::npos) return true;
    }
    return false;
  });
  ::kill(-group_, SIGINT);
  End();
  AwaitDelivery();
  const json latest = Latest();
  ASSERT_THAT(latest["failures"], SizeIs(1)) << latest.dump(1);
  EXPECT_EQ(latest["failures"][0]["test_name"], "Dies.ByAbort");
  EXPECT_EQ(latest["run"]["status"], "fail");
  EXPECT_THAT(EarlyEnds(latest, "Dies.ByHanging"), SizeIs(1));
}

TEST_F(EarlyEnd, ACrashUnderACommandThatGoesOnIsAFailure) {
  Start(std::string(FLAKY_PROGRAM) + " run -- sh -c '" + kCrashes + " --gtest_filter=Dies.ByAbort; true'");
  EXPECT_EQ(End(), 0);
  const json latest = Latest();
  ASSERT_THAT(latest["failures"], SizeIs(1)) << latest.dump(1);
  EXPECT_EQ(latest["failures"][0]["error_message"], "did not finish: the process died in this test");
  EXPECT_EQ(latest["run"]["status"], "fail");
}

TEST_F(EarlyEnd, ACrashSignalIsAFailure) {
  Start(std::string(FLAKY_PROGRAM) + " run -- " + kHangs);
  AwaitTest();
  const std::string id = std::to_string(group_);
  ::kill(std::stoi(Content("/proc/" + id + "/task/" + id + "/children")), SIGSEGV);
  End();
  const json latest = Latest();
  ASSERT_THAT(latest["failures"], SizeIs(1)) << latest.dump(1);
  EXPECT_EQ(latest["failures"][0]["signal"], "SIGSEGV");
}

// As a debugger, which lets its user interrupt the program and go on.
TEST_F(EarlyEnd, ACommandThatSucceedsWasNotInterrupted) {
  Start(std::string(FLAKY_PROGRAM) + " run -- sh -c 'trap : INT; echo ready; sleep 2; " + kCrashes +
        " --gtest_filter=Before.*; exit 0'");
  WaitFor("the command", [&] { return Content(Path("out")).starts_with("ready"); });
  ::kill(group_, SIGINT);
  EXPECT_EQ(End(), 0);
  EXPECT_EQ(Latest()["run"]["status"], "pass");
}

TEST_F(EarlyEnd, WithoutAnObserverItsCauseIsUnknown) {
  for (const int signal : {SIGINT, SIGSEGV, SIGKILL}) {
    Start(kHangs);
    AwaitTest();
    ::kill(-group_, signal);
    End();
    const json latest = Latest();
    EXPECT_THAT(latest["failures"], IsEmpty()) << latest.dump(1);
    EXPECT_EQ(latest["run"]["status"], json());
    const std::vector<json> ends = EarlyEnds(latest, "Dies.ByHanging");
    ASSERT_THAT(ends, SizeIs(1));
    EXPECT_EQ(ends[0], json({{"cause", "unknown"}, {"test", "Dies.ByHanging"}, {"program", "crashes"}}));
    EXPECT_THAT(Run({"show", "latest"}).out,
                AllOf(HasSubstr("status      ended early\n"),
                      HasSubstr("Dies.ByHanging  in crashes\n  ended without an end event, signal unknown\n")));
    EXPECT_THAT(Run({"runs"}).out, HasSubstr("  ended early  "));
    const Outcome check = Run({"check", "--rule", "npm", "--threshold", "1"});
    EXPECT_EQ(check.code, 3) << check.out;
    EXPECT_THAT(check.out, AllOf(HasSubstr("no newly flaky tests"),
                                 HasSubstr("Dies.ByHanging: ended without an end event, signal unknown\n")));
    const json judged = json::parse(Run({"check", "--rule", "npm", "--json"}).out);
    EXPECT_EQ(judged["latest_ended_early"]["tests"][0]["name"], "Dies.ByHanging");
  }
}

TEST_F(EarlyEnd, OfFlakyRunItselfIsUnknown) {
  Start(std::string(FLAKY_PROGRAM) + " run -- " + kHangs);
  AwaitTest();
  ::kill(-group_, SIGKILL);
  End();
  WaitFor("the end of the program", [&] { return ::kill(-group_, 0) != 0; });
  const json latest = Latest();
  EXPECT_THAT(latest["failures"], IsEmpty()) << latest.dump(1);
  EXPECT_EQ(latest["run"]["status"], json());
  EXPECT_THAT(EarlyEnds(latest, "Dies.ByHanging"), SizeIs(1));
  EXPECT_THAT(EarlyEnds(latest, ""), SizeIs(1)) << "the command";
}

TEST_F(EarlyEnd, AFailureBeforeAnInterruptionStays) {
  Start(std::string(FLAKY_PROGRAM) + " run -- sh -c '" + FLAKY_FIXTURES + "/behaviours --gtest_filter=Plain.Fails; " +
        kHangs + "'");
  AwaitTest();
  ::kill(-group_, SIGINT);
  End();
  const json latest = Latest();
  ASSERT_THAT(latest["failures"], SizeIs(2)) << latest.dump(1);
  EXPECT_EQ(latest["run"]["status"], "fail");
  EXPECT_EQ(latest["run"]["failed_tests"], 1);
  EXPECT_THAT(Run({"show", "latest"}).out, HasSubstr("Dies.ByHanging  in crashes\n  interrupted by SIGINT\n"));
}

}  // namespace
}  // namespace flaky

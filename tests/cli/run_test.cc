// SPDX-License-Identifier: MIT

// `flaky run` around real test programs, shells and ctest.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "tests/cli/run_fixture.h"
#include "tests/support/wait_for.h"

namespace flaky {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(RunTest, BehavesLikeItsCommand) {
  const int status = RunCommand({"--", "sh", "-c", "echo out; echo err >&2; cat; exit 66"});
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 66);
  EXPECT_EQ(Out(), "out\n");
  const std::string no_tests =
      "flaky: 0 tests were recorded: no test program under this command links flaky::recorder, or it did not get the "
      "environment that `flaky run` sets\n";
  EXPECT_EQ(Err(), "err\n" + no_tests);
  EXPECT_EQ(RunCommand({"true"}), 0) << "also without --";
  EXPECT_EQ(Err(), no_tests);
  EXPECT_EQ(RunCommand({"--", "printf", "%s,", "--help", "", "--x=", "[a,b]", "-h"}), 0);
  EXPECT_EQ(Out(), "--help,,--x=,[a,b],-h,") << "arguments are passed on unchanged";
}

TEST_F(RunTest, ACommandThatSucceedsWithoutTestsDoesNotCount) {
  Keep({});
  EXPECT_EQ(RunCommand({"true"}), 0);
  EXPECT_THAT(Runs(), IsEmpty());
  RunCommand({"false"});
  ASSERT_THAT(Runs(), SizeIs(1));
  EXPECT_EQ(Runs()[0]["errors_between_tests"], 1);
}

TEST_F(RunTest, ARunInProgressIsShownAsRunning) {
  Keep({BuildRecord("ended").Project("work").Ended(At(9)).Build()});
  Unset("FLAKY_TESTS_PROJECT");
  const pid_t child = Start({"--", "sh", "-c", "touch started; until [ -e go ]; do sleep 0.05; done"});
  WaitFor("the command", [] { return std::filesystem::exists("started"); });
  const Outcome runs = Run({"runs"});
  EXPECT_EQ(runs.code, 0);
  ASSERT_THAT(Lines(runs.out), SizeIs(3));
  EXPECT_THAT(Lines(runs.out)[1], AllOf(HasSubstr(" work "), HasSubstr(" running ")));
  const json listed = Runs();
  ASSERT_THAT(listed, SizeIs(2));
  EXPECT_EQ(listed[0]["running"], true);
  EXPECT_EQ(listed[0]["project"], "work");
  EXPECT_EQ(listed[1]["running"], false);
  EXPECT_EQ(Run({"runs", "--project", "other"}).code, 6);
  EXPECT_THAT(Lines(Run({"runs", "--limit", "1"}).out), SizeIs(2));
  WriteFile("work/go", "");
  EXPECT_EQ(StatusOf(child), 0);
  EXPECT_THAT(Runs(), SizeIs(1)) << "it had no tests";
}

TEST_F(RunTest, ManyProcessesAreOneRun) {
  const int status = RunCommand({"--", "sh", "-c",
                                 std::string("for test in Plain.Passes Plain.Fails Plain.Skips; do ") + kBehaviours +
                                     " --gtest_filter=$test; done > /dev/null; true"});
  EXPECT_EQ(status, 0);
  EXPECT_EQ(Err(), "");
  ASSERT_THAT(Runs(), SizeIs(1));
  const json latest = Latest();
  EXPECT_EQ(latest["run"]["total_tests"], 3);
  EXPECT_EQ(latest["run"]["failed_tests"], 1);
  EXPECT_EQ(latest["run"]["errors_between_tests"], 0);
  EXPECT_EQ(latest["run"]["status"], "fail");
  EXPECT_THAT(latest["parts"], SizeIs(4)) << "each program, and the command";
}

TEST_F(RunTest, ARunIdThatIsSetIsKept) {
  Set("FLAKY_TESTS_RUN_ID", "build-7");
  EXPECT_EQ(RunCommand({"--", kBehaviours, "--gtest_filter=Plain.Passes"}), 0);
  EXPECT_EQ(RunCommand({"--", kBehaviours, "--gtest_filter=Plain.Skips"}), 0);
  ASSERT_THAT(Runs(), SizeIs(1));
  EXPECT_EQ(Latest()["run"]["run_id"], "build-7");
  EXPECT_EQ(Latest()["run"]["total_tests"], 2);
}

TEST_F(RunTest, ACommandThatFailsWithoutAFailedTestIsAFailedRun) {
  EXPECT_EQ(WEXITSTATUS(RunCommand(
                {"--", "sh", "-c", std::string(kBehaviours) + " --gtest_filter=Plain.Passes > /dev/null; exit 23"})),
            23);
  const json latest = Latest();
  EXPECT_EQ(latest["run"]["status"], "fail");
  EXPECT_EQ(latest["run"]["failed_tests"], 0);
  EXPECT_EQ(latest["run"]["errors_between_tests"], 1);
  ASSERT_THAT(latest["failures"], SizeIs(1));
  EXPECT_EQ(latest["failures"][0]["error_message"],
            "the command ended with exit code 23, although no recorded test failed");
}

TEST_F(RunTest, AFailedTestExplainsTheCommandsFailure) {
  EXPECT_EQ(WEXITSTATUS(RunCommand({"--", kBehaviours, "--gtest_filter=Plain.Fails"})), 1);
  EXPECT_EQ(Latest()["run"]["errors_between_tests"], 0);
  EXPECT_EQ(Latest()["run"]["status"], "fail");
}

TEST_F(RunTest, NamesTheSignalThatEndedItsProgram) {
  const int status = RunCommand({"--", kBehaviours, "--gtest_filter=Plain.Passes:Ends.ByAbort"});
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGABRT) << "flaky run ends in the same way as its command";
  const json latest = Latest();
  ASSERT_THAT(latest["failures"], SizeIs(1));
  EXPECT_EQ(latest["failures"][0]["test_name"], "Ends.ByAbort");
  EXPECT_EQ(latest["failures"][0]["signal"], "SIGABRT");
  EXPECT_EQ(latest["failures"][0]["error_message"], "did not finish: the process was ended by SIGABRT in this test");
}

TEST_F(RunTest, NamesTheExitCodeOfAProgramThatLeftInATest) {
  EXPECT_EQ(RunCommand({"--", kBehaviours, "--gtest_filter=Ends.BySilentExit0"}), 0);
  const json latest = Latest();
  ASSERT_THAT(latest["failures"], SizeIs(1));
  EXPECT_EQ(latest["failures"][0]["error_message"], "did not finish: the process ended with exit code 0 in this test");
  EXPECT_EQ(latest["run"]["status"], "fail") << "whatever its exit code says";
}

TEST_F(RunTest, PassesSignalsOn) {
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) {
    std::filesystem::remove(Path("out"));
    const pid_t child =
        Start({"--", "sh", "-c", "trap 'exit 5' TERM INT USR1; echo ready; while :; do sleep 0.05; done"});
    WaitFor("the command's output", [&] { return Out() == "ready\n"; });
    ::kill(child, signal);
    const int status = StatusOf(child);
    EXPECT_TRUE(WIFEXITED(status)) << signal;
    EXPECT_EQ(WEXITSTATUS(status), 5) << signal;
  }
}

TEST_F(RunTest, AKillOfFlakyRunLosesNothing) {
  const pid_t child = Start(
      {"--", "sh", "-c", std::string(kBehaviours) + " --gtest_filter=Plain.Fails > /dev/null; echo ready; sleep 1"});
  WaitFor("the command's output", [&] { return Out() == "ready\n"; });
  ::kill(child, SIGKILL);
  StatusOf(child);
  ASSERT_THAT(Runs(), SizeIs(1)) << "any command that reads also delivers";
  const json latest = Latest();
  EXPECT_EQ(latest["run"]["failed_tests"], 1);
  EXPECT_EQ(latest["run"]["errors_between_tests"], 0);
  bool named = false;
  for (const json& part : latest["parts"]) {
    for (const json& end : part["ended_early"]) named = named || end["program"] == "flaky run";
  }
  EXPECT_TRUE(named) << latest.dump(1);
}

TEST_F(RunTest, UsesAShellsExitCodesIfACommandCannotBeStarted) {
  EXPECT_EQ(WEXITSTATUS(RunCommand({"--", "no-such-program"})), 127);
  EXPECT_THAT(Err(), HasSubstr("cannot start `no-such-program`"));
  WriteFile("text", "no program");
  EXPECT_EQ(WEXITSTATUS(RunCommand({"--", Path("text")})), 126);
  EXPECT_EQ(WEXITSTATUS(RunCommand({})), 2);
  EXPECT_EQ(WEXITSTATUS(RunCommand({"--"})), 2);
  EXPECT_EQ(WEXITSTATUS(RunCommand({"--nonsense", "true"})), 2);
  EXPECT_EQ(RunCommand({"--help"}), 0);
  EXPECT_THAT(Out(), HasSubstr("flaky run"));
  EXPECT_EQ(Run({"runs"}).code, 10) << "none of that was recorded";
}

TEST_F(RunTest, TheCommandRunsDespiteProblemsWithTheHistory) {
  const std::vector<std::string> command = {"--", "sh", "-c", "echo ran; exit 4"};
  const auto expect_one_line = [&](const std::string& part) {
    EXPECT_EQ(WEXITSTATUS(RunCommand(command)), 4) << part;
    EXPECT_EQ(Out(), "ran\n") << part;
    EXPECT_THAT(Err(), HasSubstr(part));
    EXPECT_EQ(std::ranges::count(Err(), '\n'), 1) << Err();
  };
  Set("FLAKY_TESTS_DB", Path("no/folder/h.db"));
  expect_one_line("no/folder");
  Set("FLAKY_TESTS_STORE", "mysql");
  expect_one_line("FLAKY_TESTS_STORE (in the environment): invalid value; expected sqlite");
  Unset("FLAKY_TESTS_STORE");
  Set("FLAKY_TESTS_DB", Path("h.db"));
  Set("FLAKY_TESTS_SPOOL", "/proc/no/spool");
  expect_one_line("/proc/no/spool");
  Unset("FLAKY_TESTS_SPOOL");
  WriteFile("work/.flaky.toml", "this is = no [toml");
  expect_one_line(".flaky.toml");
}

TEST_F(RunTest, IfDisabledItOnlyRunsTheCommand) {
  Set("FLAKY_TESTS_DISABLE", "1");
  EXPECT_EQ(WEXITSTATUS(RunCommand({"--", kBehaviours, "--gtest_filter=Plain.Fails"})), 1);
  Unset("FLAKY_TESTS_DISABLE");
  EXPECT_EQ(Run({"runs", "--all"}).code, 10) << "no history was created";
}

TEST_F(RunTest, ACtestUnderItIsOnePart) {
  WriteFile("build/CTestTestfile.cmake", std::string("add_test(passes ") + kBehaviours +
                                             " --gtest_filter=Plain.Passes)\nadd_test(fails " + kBehaviours +
                                             " --gtest_filter=Plain.Fails)\n");
  EXPECT_EQ(WEXITSTATUS(RunCommand({"--", "ctest", "--test-dir", Path("build"), "-j2"})), 8);
  ASSERT_THAT(Runs(), SizeIs(1));
  const json latest = Latest();
  EXPECT_EQ(latest["run"]["total_tests"], 2);
  EXPECT_EQ(latest["run"]["errors_between_tests"], 0);
  EXPECT_THAT(latest["parts"], SizeIs(2)) << "all of the ctest's programs, and the command";
  EXPECT_THAT(latest["run"]["test_args"].get<std::string>(), AllOf(HasSubstr("ctest"), HasSubstr("-j2")));
}

// Returns a shell command that runs three shards of `command`, at once or one after the other.
std::string Sharded(const std::string& command, bool together) {
  return "for shard in 0 1 2; do GTEST_TOTAL_SHARDS=3 GTEST_SHARD_INDEX=$shard " + command +
         (together ? " > /dev/null & done; wait" : " > /dev/null; done");
}

TEST_F(RunTest, ShardsUnderOneParentAreOnePart) {
  const std::string shards = std::string(kBehaviours) + " --gtest_filter=Plain.Passes:Plain.Skips:Plain.Fails";
  for (const bool together : {true, false}) {
    RunCommand({"--", "sh", "-c", Sharded(shards, together) + "; true"});
    const json latest = Latest();
    ASSERT_THAT(latest["parts"], SizeIs(2)) << "the shards, and the command";
    EXPECT_EQ(latest["run"]["total_tests"], 3);
    EXPECT_EQ(latest["run"]["failed_tests"], 1);
  }
}

TEST_F(RunTest, SimultaneousShardsUnderAShellAreOnePartWithoutFlakyRun) {
  // Each shard waits until all three run.
  Set("FIXTURE_SHARDS", Path("shards"));
  const std::string shards = std::string(kBehaviours) + " --gtest_filter=Shards.*";
  EXPECT_EQ(std::system(Sharded(shards, true).c_str()), 0);
  ASSERT_THAT(Runs(), SizeIs(1));
  EXPECT_THAT(Latest()["parts"], SizeIs(1));
  EXPECT_EQ(Latest()["run"]["total_tests"], 3);
}

TEST_F(RunTest, ShardsOfSeveralMachinesArePartsOfOneRun) {
  Set("FLAKY_TESTS_RUN_ID", "build-8");
  const std::string shards = std::string(kBehaviours) + " --gtest_filter=Plain.Passes:Plain.Skips:Plain.Fails";
  EXPECT_GE(std::system(Sharded(shards, false).c_str()), 0);
  ASSERT_THAT(Runs(), SizeIs(1));
  const json latest = Latest();
  ASSERT_THAT(latest["parts"], SizeIs(3)) << "each delivered before the next began";
  for (const json& part : latest["parts"]) EXPECT_THAT(part["shard"].get<std::string>(), testing::EndsWith("/3"));
  EXPECT_EQ(latest["run"]["total_tests"], 3);
}

// Plain ctest, without `flaky run`: the first test program starts a process that delivers after that ctest has ended.

TEST_F(CtestTest, IsDeliveredOnceWhenItHasEnded) {
  AddTests({"Plain.Passes", "Plain.Fails", "Plain.Skips"});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_NE(std::system(("ctest --test-dir '" + Path("build") + "' -j3 > '" + Path("out") + "' 2>&1").c_str()), 0);
  // If ctest waited for the delivery, which waits for the end of ctest, it would not end at all.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 200s) << "ctest does not wait for the delivery";
  AwaitDelivery();
  const std::string runs = Content(Path("h.db"));
  EXPECT_FALSE(runs.empty()) << "delivered without a flaky command";
  ASSERT_THAT(Runs(), SizeIs(1));
  EXPECT_EQ(Latest()["run"]["total_tests"], 3);
  EXPECT_THAT(Latest()["parts"], SizeIs(1));
}

TEST_F(CtestTest, RelativePathsAreRelativeToTheTestsFolder) {
  AddTests({"Plain.Passes"});
  Set("FLAKY_TESTS_DB", "here.db");
  Set("FLAKY_TESTS_SPOOL", "../spool");
  EXPECT_EQ(std::system(("ctest --test-dir '" + Path("build") + "' > '" + Path("out") + "'").c_str()), 0);
  AwaitDelivery();
  EXPECT_TRUE(std::filesystem::exists(Path("build/here.db")));
}

TEST_F(CtestTest, AKilledCtestCountsAsEnded) {
  AddTests({"Plain.Passes", "Descriptors.ClosedAndReused"});
  WriteFile("build/CTestTestfile.cmake", Content(Path("build/CTestTestfile.cmake")) +
                                             "add_test(waits sh -c [[echo $$ > '" + Path("waiting") +
                                             "'; exec sleep 600]])\n");
  const pid_t ctest = ::fork();
  if (ctest == 0) {
    std::FILE* out = std::freopen(Path("out").c_str(), "w", stdout);
    if (out != nullptr) ::execlp("ctest", "ctest", "--test-dir", Path("build").c_str(), nullptr);
    ::_exit(99);
  }
  WaitFor("the process id of the third test", [&] { return Content(Path("waiting")).ends_with('\n'); });
  EXPECT_THAT(InSpool(), SizeIs(3)) << "two journals and the mark";
  ::kill(ctest, SIGKILL);
  ::waitpid(ctest, nullptr, 0);
  AwaitDelivery();
  EXPECT_EQ(Latest()["run"]["total_tests"], 2);
  ::kill(std::stoi(Content(Path("waiting"))), SIGKILL);
}

TEST_F(CtestTest, TheMarkOfAKilledDeliveryIsRemoved) {
  AddTests({"Plain.Passes"});
  EXPECT_EQ(std::system(("ctest --test-dir '" + Path("build") + "' > '" + Path("out") + "'").c_str()), 0);
  AwaitDelivery();
  WriteFile("spool/.ctest-99999999-5", "");
  WriteFile("spool/.ctest-" + std::to_string(::getpid()) + "-x", "");
  Set("FLAKY_TESTS_DELIVERY_TIMEOUT", "0");
  EXPECT_EQ(std::system((std::string(kBehaviours) + " --gtest_filter=Plain.Passes > '" + Path("out") + "'").c_str()),
            0);
  Unset("FLAKY_TESTS_DELIVERY_TIMEOUT");
  EXPECT_EQ(Run({"deliver"}).code, 0);
  EXPECT_THAT(InSpool(), IsEmpty());
}

TEST_F(CtestTest, IsNotDeliveredIfTheTimeoutIsZero) {
  Set("FLAKY_TESTS_DELIVERY_TIMEOUT", "0");
  AddTests({"Plain.Passes"});
  EXPECT_EQ(std::system(("ctest --test-dir '" + Path("build") + "' > '" + Path("out") + "'").c_str()), 0);
  EXPECT_THAT(InSpool(), SizeIs(1)) << "the journal, and no mark";
}

}  // namespace
}  // namespace flaky

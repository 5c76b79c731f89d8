// SPDX-License-Identifier: MIT

// What belongs to the run of a `flaky run`: everything under it, no matter what the processes change and which of them
// delivers.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program_fixture.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

const std::string kPasses = std::string(FLAKY_FIXTURES) + "/behaviours --gtest_filter=Plain.Passes";
const std::string kFails = std::string(FLAKY_FIXTURES) + "/behaviours --gtest_filter=Plain.Fails";
const std::string kFlaky = FLAKY_PROGRAM;
constexpr char kNoTests[] = "0 tests were recorded";

class RunInheritsTest : public ProgramTest {
 protected:
  RunInheritsTest() {
    Set("FLAKY_TESTS_PROGRAM", FLAKY_PROGRAM);
    Unset("GTEST_OUTPUT");
  }

  // Runs a script under `flaky run -- sh -c`, with its output in files. Returns the exit code.
  int RunScript(const std::string& script) { return Shell(kFlaky + " run -- sh -c '" + script + "'"); }
  int Shell(const std::string& command) {
    const int status = std::system(("(" + command + ") > '" + Path("out") + "' 2> '" + Path("err") + "'").c_str());
    EXPECT_TRUE(WIFEXITED(status));
    return WEXITSTATUS(status);
  }
  std::string Err() const { return Content(Path("err")); }

  static json Runs() { return json::parse(Run({"runs", "--all", "--json"}).out)["runs"]; }
  static json Latest() { return json::parse(Run({"show", "latest", "--all", "--json"}).out); }
  // Returns what the only run says.
  static json TheRun() {
    EXPECT_THAT(Runs(), SizeIs(1));
    return Latest()["run"];
  }
};

TEST_F(RunInheritsTest, TestsWithOtherHomesAndFolders) {
  Unset("FLAKY_TESTS_DB");
  std::filesystem::create_directories(Path("other"));
  EXPECT_EQ(RunScript(kPasses + "; HOME=" + Path("other") + " " + kPasses + "; env -u HOME " + kPasses +
                      "; XDG_STATE_HOME=" + Path("other/state") + " " + kPasses + "; env -i " + kPasses + "; cd " +
                      Path("other") + "; " + kPasses),
            0);
  EXPECT_EQ(Err(), "");
  EXPECT_EQ(TheRun()["total_tests"], 6);
  EXPECT_EQ(TheRun()["project"], "demo");
  EXPECT_TRUE(std::filesystem::is_empty(Path("other")));
}

TEST_F(RunInheritsTest, RelativePathsAndPathsInTheHome) {
  std::filesystem::create_directories(Path("work/sub"));
  Unset("FLAKY_TESTS_PROJECT");
  Set("FLAKY_TESTS_SPOOL", "spool");
  Set("FLAKY_TESTS_DB", "here.db");
  EXPECT_EQ(RunScript("cd sub; " + kPasses + "; " + kFlaky + " deliver; " + kPasses), 0);
  EXPECT_EQ(Err(), "");
  EXPECT_EQ(TheRun()["total_tests"], 2);
  EXPECT_EQ(TheRun()["project"], "work");
  EXPECT_TRUE(std::filesystem::is_empty(Path("work/sub")));
  EXPECT_TRUE(std::filesystem::exists(Path("work/here.db")));

  Set("FLAKY_TESTS_SPOOL", "~/spool");
  Set("FLAKY_TESTS_DB", "~/home.db");
  EXPECT_EQ(RunScript("HOME=/nowhere; cd sub; " + kPasses), 0);
  EXPECT_EQ(Err(), "");
  EXPECT_TRUE(std::filesystem::exists(Path("home/home.db")));
  EXPECT_EQ(TheRun()["total_tests"], 1);

  ::unsetenv("HOME");
  EXPECT_EQ(RunScript("exit 3"), 3);
  EXPECT_THAT(Err(), HasSubstr("FLAKY_TESTS_DB (in the environment): invalid value `~/home.db`"));
  Set("HOME", Path("home"));
}

TEST_F(RunInheritsTest, ProgramsUseTheStoreOfTheRun) {
  Unset("FLAKY_TESTS_DB");
  WriteFile("home/.config/flaky/config.toml", "db = \"" + Path("team.db") + "\"\ntable_prefix = \"team_\"\n");
  EXPECT_EQ(RunScript(kPasses + "; cd ..; HOME=/nowhere " + kFlaky + " deliver"), 0);
  EXPECT_THAT(Content(Path("out")), HasSubstr("delivered 1 run (1 part) to sqlite:" + Path("team.db")));
  EXPECT_EQ(Err(), "");
  EXPECT_EQ(TheRun()["total_tests"], 1);
}

TEST_F(RunInheritsTest, SecretsOfTheUsersFileStayThere) {
  WriteFile("home/.config/flaky/config.toml", "auth_token = \"S3cret\"\n");
  std::filesystem::permissions(Path("home/.config/flaky/config.toml"), std::filesystem::perms(0600));
  EXPECT_EQ(RunScript("HOME=/nowhere; env; " + kFlaky + " config"), 0);
  const std::string out = Content(Path("out"));
  EXPECT_THAT(out, Not(HasSubstr("S3cret")));
  EXPECT_THAT(out, HasSubstr(Path("home/.config/flaky/config.toml")));
}

TEST_F(RunInheritsTest, WhatIsDeliveredInBetweenExplainsTheCommandsFailure) {
  for (const char* reading : {"deliver", "check", "runs"}) {
    std::filesystem::remove(Path("h.db"));
    EXPECT_EQ(RunScript(kFails + "; " + kFlaky + " " + reading + "; exit 1"), 1);
    EXPECT_EQ(Err(), "") << reading;
    EXPECT_EQ(TheRun()["failed_tests"], 1) << reading;
    EXPECT_EQ(TheRun()["errors_between_tests"], 0) << reading;
  }
}

TEST_F(RunInheritsTest, WhatCouldNotBeDeliveredInBetweenExplainsItToo) {
  WriteFile("build/CTestTestfile.cmake", "add_test(fails " + kFails + ")\n");
  EXPECT_EQ(RunScript("ctest --test-dir " + Path("build") + "; FLAKY_TESTS_DB=/no/folder/h.db " + kFlaky +
                      " deliver; exit 1"),
            1);
  EXPECT_EQ(TheRun()["failed_tests"], 1);
  EXPECT_EQ(TheRun()["errors_between_tests"], 0);
}

TEST_F(RunInheritsTest, ARunWithinARunIsPartOfIt) {
  EXPECT_EQ(RunScript(kFlaky + " run -- " + kFails), 1);
  EXPECT_EQ(Err(), "");
  EXPECT_EQ(TheRun()["failed_tests"], 1);
  EXPECT_EQ(TheRun()["errors_between_tests"], 0);
  std::filesystem::remove(Path("h.db"));
  EXPECT_EQ(RunScript(kFlaky + " run -- sh -c \"exit 3\""), 3);
  EXPECT_EQ(TheRun()["errors_between_tests"], 1) << "one command failed";
}

TEST_F(RunInheritsTest, AFailureThatNothingExplainsIsStillAnError) {
  EXPECT_EQ(RunScript(kPasses + "; " + kFlaky + " deliver; exit 5"), 5);
  EXPECT_EQ(TheRun()["errors_between_tests"], 1);
  EXPECT_EQ(TheRun()["total_tests"], 1);
}

TEST_F(RunInheritsTest, SaysThatNoTestWasRecorded) {
  for (const std::string& script :
       {std::string("exit 4"),
        "env -i FLAKY_TESTS_DELIVERY_TIMEOUT=0 FLAKY_TESTS_SPOOL=" + Path("elsewhere") + " " + kPasses + "; exit 4",
        kPasses + "NoSuchTest; exit 4", kFlaky + " deliver; exit 4"}) {
    EXPECT_EQ(RunScript(script), 4) << script;
    EXPECT_THAT(Err(), HasSubstr(kNoTests)) << script;
    EXPECT_EQ(std::ranges::count(Err(), '\n'), 1) << script;
  }
  EXPECT_EQ(RunScript(kPasses), 0);
  EXPECT_EQ(Err(), "");
  EXPECT_EQ(RunScript(kPasses + "; " + kFlaky + " deliver"), 0);
  EXPECT_EQ(Err(), "");
}

TEST_F(RunInheritsTest, TheCommandGetsTheSignalsAsTheyWere) {
  const auto signals = [&](const std::vector<std::string>& before, int code) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::signal(SIGPIPE, SIG_IGN);
      ::signal(SIGCHLD, SIG_IGN);
      ::signal(SIGHUP, SIG_IGN);
      sigset_t blocked;
      ::sigemptyset(&blocked);
      for (const int signal : {SIGINT, SIGTERM, SIGUSR2, SIGCHLD}) ::sigaddset(&blocked, signal);
      ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
      std::vector<std::string> command = before;
      command.insert(command.end(), {"sh", "-c", "grep -E Sig.[lg] /proc/self/status; exit " + std::to_string(code)});
      std::vector<char*> argv;
      for (std::string& argument : command) argv.push_back(argument.data());
      argv.push_back(nullptr);
      std::FILE* out = std::freopen(Path("out").c_str(), "w", stdout);
      if (out != nullptr) ::execvp(argv[0], argv.data());
      ::_exit(99);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), code);
    return Content(Path("out"));
  };
  const std::string direct = signals({"env"}, 7);
  EXPECT_THAT(direct, HasSubstr("SigIgn"));
  EXPECT_THAT(direct, HasSubstr("SigBlk"));
  EXPECT_EQ(signals({FLAKY_PROGRAM, "run", "--"}, 7), direct);
}

}  // namespace
}  // namespace flaky

// Tests in which the process ends: what the history says of them, run by `flaky run` and by plain ctest.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "tests/cli/program_fixture.h"

namespace flaky {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kCrashes[] = FLAKY_FIXTURES "/crashes";

struct Death {
  std::string name;  // of the test in Dies
  std::string message_of_parent, message_of_ctest;
  std::string signal = "";  // as its parent sees it
  std::string program = kCrashes;
  std::vector<std::string> arguments = {};
};

const std::string kInTest = " in this test";

const Death kCrashesThereAre[] = {
    {"BySegmentationFault", "was ended by SIGSEGV", "died", "SIGSEGV"},
    {"ByStackOverflow", "was ended by SIGSEGV", "died", "SIGSEGV"},
    {"ByAbort", "was ended by SIGABRT", "died", "SIGABRT"},
    {"ByException", "was ended by SIGABRT", "died", "SIGABRT", kCrashes, {"--gtest_catch_exceptions=0"}},
    {"ByQuietExit0", "ended with exit code 0", "died"},
    {"ByKill", "was ended by SIGKILL", "died", "SIGKILL"},
    {"ByMemoryError", "ended with exit code 1", "died", "", FLAKY_FIXTURES "/crashes_asan"},
};

void PrintTo(const Death& death, std::ostream* out) { *out << death.name; }

class DeathsTest : public ProgramTest {
 protected:
  DeathsTest() {
    Set("FLAKY_TESTS_PROGRAM", FLAKY_PROGRAM);
    Set("FLAKY_TESTS_SPOOL", Path("spool"));
    // Under a sanitizer the signal itself is to end the process, not the sanitizer's report of it.
    for (const char* options : {"ASAN_OPTIONS", "TSAN_OPTIONS"}) Set(options, "handle_segv=0");
    Unset("GTEST_OUTPUT");
  }

  // The test of Dies, and the one before it; in the order that this seed leads to.
  static std::vector<std::string> Command(const Death& death) {
    std::vector<std::string> command{death.program, "--gtest_filter=Before.*:NeverReached.*:Dies." + death.name,
                                     "--gtest_shuffle", "--gtest_random_seed=5"};
    command.insert(command.end(), death.arguments.begin(), death.arguments.end());
    return command;
  }

  // Ends with the status that waitpid gives. Its output goes to a file.
  int RunProgramWith(std::vector<std::string> arguments) const {
    const pid_t child = ::fork();
    if (child == 0) {
      std::vector<char*> argv;
      for (std::string& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      std::FILE* out = std::freopen(Path("out").c_str(), "w", stdout);
      std::FILE* err = std::freopen(Path("err").c_str(), "w", stderr);
      if (out != nullptr && err != nullptr) ::execvp(argv[0], argv.data());
      ::_exit(99);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  }

  // Runs ctest over one test, and waits until its history is delivered.
  int RunCtest(const std::vector<std::string>& command, const std::string& properties = "",
               const std::vector<std::string>& options = {}) {
    std::string line = "add_test(the_test";
    for (const std::string& argument : command) line += " [[" + argument + "]]";
    WriteFile(
        "build/CTestTestfile.cmake",
        line + ")\n" + (properties.empty() ? "" : "set_tests_properties(the_test PROPERTIES " + properties + ")\n"));
    std::vector<std::string> ctest{"ctest", "--test-dir", Path("build")};
    ctest.insert(ctest.end(), options.begin(), options.end());
    const int status = RunProgramWith(ctest);
    for (int i = 0; i < 3000 && Waits(); ++i) std::this_thread::sleep_for(10ms);
    EXPECT_FALSE(Waits()) << "nothing delivers";
    return status;
  }

  static json Latest() { return json::parse(Run({"show", "latest", "--json"}).out); }

  static void ExpectDeath(const json& latest, const std::string& test, const std::string& how) {
    ASSERT_THAT(latest["failures"], SizeIs(1)) << latest.dump(1);
    const json& failure = latest["failures"][0];
    EXPECT_EQ(failure["test_name"], "Dies." + test);
    EXPECT_EQ(failure["failure_kind"], "uncaught");
    EXPECT_EQ(failure["error_message"], "did not finish: the process " + how + kInTest);
    EXPECT_GE(failure["duration_ms"], 50) << "how long it had run";
    EXPECT_LT(failure["duration_ms"], 60'000);
    EXPECT_EQ(failure["preceding_test"], "Before.Passes");
    EXPECT_EQ(failure["shuffle_seed"], 5);
    EXPECT_THAT(failure["test_file"].get<std::string>(), HasSubstr("crashes.cc"));
    EXPECT_EQ(latest["run"]["status"], "fail");
    EXPECT_EQ(latest["run"]["total_tests"], 2) << "what was behind it did not run";
    EXPECT_EQ(latest["run"]["errors_between_tests"], 0);
  }

 private:
  bool Waits() const {
    for (const auto& entry : std::filesystem::directory_iterator(Path("spool"))) {
      const std::string name = entry.path().filename();
      if (name.ends_with(".jsonl") || name.starts_with(".ctest-")) return true;
    }
    return false;
  }
};

class EveryDeath : public DeathsTest, public testing::WithParamInterface<Death> {};

TEST_P(EveryDeath, IsNamedByFlakyRun) {
  const Death& death = GetParam();
  std::vector<std::string> command = Command(death);
  command.insert(command.begin(), {FLAKY_PROGRAM, "run", "--"});
  RunProgramWith(command);
  EXPECT_EQ(Content(Path("err")).find("flaky:"), std::string::npos) << Content(Path("err"));
  const json latest = Latest();
  ExpectDeath(latest, death.name, death.message_of_parent);
  EXPECT_EQ(latest["failures"][0]["signal"], death.signal.empty() ? json() : json(death.signal));
}

TEST_P(EveryDeath, IsNamedBelowPlainCtest) {
  const Death& death = GetParam();
  RunCtest(Command(death));
  const json latest = Latest();
  ExpectDeath(latest, death.name, death.message_of_ctest);
  EXPECT_EQ(latest["failures"][0]["signal"], json()) << "ctest alone knows";
}

INSTANTIATE_TEST_SUITE_P(All, EveryDeath, testing::ValuesIn(kCrashesThereAre),
                         [](const auto& death) { return death.param.name; });

TEST_F(DeathsTest, AnExitIsAFailureThoughCtestCallsItPassed) {
  EXPECT_EQ(RunCtest({kCrashes, "--gtest_filter=Before.*:Dies.ByExit0"}), 0);
  EXPECT_THAT(Content(Path("out")), HasSubstr("100% tests passed"));
  const json latest = Latest();
  ASSERT_THAT(latest["failures"], SizeIs(1));
  EXPECT_EQ(latest["failures"][0]["test_name"], "Dies.ByExit0");
  EXPECT_EQ(latest["failures"][0]["failure_kind"], "uncaught");
  EXPECT_EQ(latest["failures"][0]["error_message"], "the test called exit(0): the tests behind it did not run");
  EXPECT_GE(latest["failures"][0]["duration_ms"], 50);
  EXPECT_EQ(latest["run"]["status"], "fail");
}

// ctest stops and kills what exceeds its TIMEOUT; nothing in the process could note that.
class Timeouts : public DeathsTest {
 protected:
  static void ExpectTimeout(double seconds, const std::string& limit) {
    const json latest = Latest();
    ASSERT_THAT(latest["failures"], SizeIs(1)) << latest.dump(1);
    const json& failure = latest["failures"][0];
    EXPECT_EQ(failure["test_name"], "Dies.ByHanging");
    EXPECT_EQ(failure["failure_kind"], "timeout") << failure.dump(1);
    EXPECT_EQ(failure["error_message"],
              "did not finish: the process was ended at its time limit of " + limit + " s in this test");
    EXPECT_GE(failure["duration_ms"], seconds * 700);
    EXPECT_EQ(failure["preceding_test"], "Before.Passes");
  }
  const std::vector<std::string> command_{kCrashes, "--gtest_filter=Before.*:Dies.ByHanging"};
};

TEST_F(Timeouts, OfTheTestAreNamed) {
  RunCtest(command_, "TIMEOUT 1.25");
  ExpectTimeout(1.25, "1.25");
}

TEST_F(Timeouts, OfTheCommandLineAreNamed) {
  RunCtest(command_, "", {"--timeout", "1"});
  ExpectTimeout(1, "1");
}

TEST_F(Timeouts, OfTheDashboardsConfigurationAreNamed) {
  WriteFile("build/DartConfiguration.tcl", "SourceDirectory: /nowhere\nTimeOut: 1\n");
  RunCtest(command_);
  ExpectTimeout(1, "1");
}

TEST_F(Timeouts, BelowFlakyRunAreNamed) {
  WriteFile("build/CTestTestfile.cmake", "add_test(hangs " + command_[0] + " " + command_[1] +
                                             ")\nset_tests_properties(hangs PROPERTIES TIMEOUT 1)\n");
  RunProgramWith({FLAKY_PROGRAM, "run", "--", "ctest", "--test-dir", Path("build")});
  ExpectTimeout(1, "1");
  EXPECT_EQ(Latest()["run"]["errors_between_tests"], 0);
}

TEST_F(Timeouts, AreNotBlamedForWhatDiedBefore) {
  RunCtest(Command(kCrashesThereAre[2]), "TIMEOUT 600");
  ExpectDeath(Latest(), "ByAbort", "died");
}

// A group of processes that may use so much memory; none where this user may not make one.
class MemoryLimit {
 public:
  explicit MemoryLimit(int64_t bytes) {
    namespace fs = std::filesystem;
    std::error_code error;
    for (const auto& [root, file] :
         {std::pair("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), std::pair("/sys/fs/cgroup", "memory.max")}) {
      const fs::path group = fs::path(root) / ("flaky-test-" + std::to_string(::getpid()));
      if (!fs::create_directory(group, error)) continue;
      group_ = group;
      if (fs::exists(group / file) && (std::ofstream(group / file) << bytes).flush()) return;
      fs::remove(group, error);
      group_.clear();
    }
  }
  ~MemoryLimit() {
    std::error_code ignored;
    for (int i = 0; i < 100 && !group_.empty() && !std::filesystem::remove(group_, ignored); ++i) {
      std::this_thread::sleep_for(10ms);
    }
  }
  const std::string& path() const { return group_; }

 private:
  std::string group_;
};

TEST_F(DeathsTest, AKillForWantOfMemoryIsNamed) {
  const MemoryLimit limit(int64_t{48} << 20);
  if (limit.path().empty()) GTEST_SKIP() << "this user may make no memory cgroup";
  const std::string join = "echo $$ > " + limit.path() + "/cgroup.procs && exec \"$0\" \"$@\"";
  const int status = RunProgramWith(
      {FLAKY_PROGRAM, "run", "--", "sh", "-c", join, kCrashes, "--gtest_filter=Before.*:Dies.ByWantOfMemory"});
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  const json latest = Latest();
  ASSERT_THAT(latest["failures"], SizeIs(1));
  const json& failure = latest["failures"][0];
  EXPECT_EQ(failure["test_name"], "Dies.ByWantOfMemory");
  EXPECT_EQ(failure["failure_kind"], "uncaught");
  EXPECT_EQ(failure["signal"], "SIGKILL");
  EXPECT_EQ(
      failure["error_message"],
      "did not finish: the process was ended by SIGKILL in this test; the kernel was killing processes for want of "
      "memory at that time");
  EXPECT_GE(failure["duration_ms"], 50);
}

TEST_F(DeathsTest, RepeatedUntilItPassesEveryAttemptIsKept) {
  Set("FIXTURE_FOLDER", Path(""));
  EXPECT_EQ(RunCtest({FLAKY_FIXTURES "/behaviours", "--gtest_filter=Retried.PassesInTheThird"}, "",
                     {"--repeat", "until-pass:5"}),
            0);
  const json latest = Latest();
  EXPECT_EQ(latest["run"]["total_tests"], 1);
  EXPECT_EQ(latest["run"]["failed_tests"], 1);
  ASSERT_THAT(latest["failures"], SizeIs(2));
  EXPECT_EQ(latest["failures"][0]["attempt"], 0);
  EXPECT_EQ(latest["failures"][1]["attempt"], 1);
  ASSERT_THAT(latest["flaky"], SizeIs(1));
  EXPECT_EQ(latest["flaky"][0]["test_name"], "Retried.PassesInTheThird");
  EXPECT_EQ(latest["flaky"][0]["failed_attempts"], 2);
  EXPECT_EQ(latest["flaky"][0]["passed_attempts"], 1);
  EXPECT_THAT(Run({"show", "latest"}).out, HasSubstr("flaky in this run (1)"));
}

TEST_F(DeathsTest, RepeatedByGoogleTestEveryAttemptIsKept) {
  RunProgramWith({FLAKY_FIXTURES "/behaviours", "--gtest_filter=Repeat.FailsInTheSecond", "--gtest_repeat=5"});
  const json latest = Latest();
  ASSERT_THAT(latest["failures"], SizeIs(1));
  EXPECT_EQ(latest["failures"][0]["attempt"], 1);
  ASSERT_THAT(latest["flaky"], SizeIs(1));
  EXPECT_EQ(latest["flaky"][0]["failed_attempts"], 1);
  EXPECT_EQ(latest["flaky"][0]["passed_attempts"], 4);
}

TEST_F(DeathsTest, RunsWithoutSuchATestShowNone) {
  RunProgramWith({FLAKY_FIXTURES "/behaviours", "--gtest_filter=Plain.Fails"});
  EXPECT_THAT(Latest()["flaky"], IsEmpty());
  EXPECT_EQ(Run({"show", "latest"}).out.find("flaky in this run"), std::string::npos);
}

}  // namespace
}  // namespace flaky

// SPDX-License-Identifier: MIT

// Tests in which the process ends: what the history reports about them, run by `flaky run` and by plain ctest.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "tests/cli/program_fixture.h"
#include "tests/support/wait_for.h"

namespace flaky {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kCrashes[] = FLAKY_FIXTURES "/crashes";

struct Crash {
  std::string name;  // of the test in Dies
  std::string message_of_parent, message_of_ctest;
  std::string signal = "";  // as its parent sees it
  std::string program = kCrashes;
  std::vector<std::string> arguments = {};
};

// A test of ctest that ends when the process that delivers after this ctest is watching it. On a busy machine, that may
// start after ctest has ended; how a test program died is then unknown.
constexpr char kObserved[] = R"(add_test(observed sh -c [[
  for try in $(seq 600); do
    for process in /proc/[0-9]*; do
      grep -qsz -- "^$PPID-" $process/cmdline && ls -l $process/fd | grep -q pidfd && exit 0
    done
    sleep 0.1
  done
  exit 1]])
)";

const std::string kInTest = " in this test";

const Crash kAllCrashes[] = {
    {"BySegmentationFault", "was ended by SIGSEGV", "died", "SIGSEGV"},
    {"ByStackOverflow", "was ended by SIGSEGV", "died", "SIGSEGV"},
    {"ByAbort", "was ended by SIGABRT", "died", "SIGABRT"},
    {"ByException", "was ended by SIGABRT", "died", "SIGABRT", kCrashes, {"--gtest_catch_exceptions=0"}},
    {"ByQuietExit0", "ended with exit code 0", "died"},
    {"ByKill", "was ended by SIGKILL", "died", "SIGKILL"},
    {"ByMemoryError", "ended with exit code 1", "died", "", FLAKY_FIXTURES "/crashes_asan"},
};

void PrintTo(const Crash& crash, std::ostream* out) { *out << crash.name; }

class CrashesTest : public ProgramTest {
 protected:
  CrashesTest() {
    Set("FLAKY_TESTS_PROGRAM", FLAKY_PROGRAM);
    Set("FLAKY_TESTS_DELIVERY_WAIT", kLongWait);
    Set("FLAKY_TESTS_SPOOL", Path("spool"));
    // Under a sanitizer too, the signal itself must end the process, not the sanitizer's report.
    for (const char* options : {"ASAN_OPTIONS", "TSAN_OPTIONS"}) Set(options, "handle_segv=0");
    Unset("GTEST_OUTPUT");
  }

  // Returns the command that runs the test of Dies after Before.Passes; the seed leads to this order.
  static std::vector<std::string> Command(const Crash& crash) {
    std::vector<std::string> command{crash.program, "--gtest_filter=Before.*:NeverReached.*:Dies." + crash.name,
                                     "--gtest_shuffle", "--gtest_random_seed=5"};
    command.insert(command.end(), crash.arguments.begin(), crash.arguments.end());
    return command;
  }

  // Runs a program to its end and returns its status from waitpid. Its output goes to files.
  int RunProgramWith(std::vector<std::string> arguments) const {
    const pid_t child = ::fork();
    if (child == 0) {
      std::vector<char*> argv;
      for (std::string& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      std::FILE* out = std::freopen(Path("out").c_str(), "w", stdout);
      std::FILE* err = std::freopen(Path("err").c_str(), "w", stderr);
      ::close_range(3, ~0U, 0);  // the log of the ctest that runs this test
      if (out != nullptr && err != nullptr) ::execvp(argv[0], argv.data());
      ::_exit(99);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  }

  // Runs ctest with one test, and waits until its history is delivered.
  int RunCtest(const std::vector<std::string>& command, const std::string& properties = "",
               const std::vector<std::string>& options = {}) {
    std::string line = "add_test(the_test";
    for (const std::string& argument : command) line += " [[" + argument + "]]";
    WriteFile("build/CTestTestfile.cmake",
              line + ")\n" + kObserved +
                  (properties.empty() ? "" : "set_tests_properties(the_test PROPERTIES " + properties + ")\n"));
    std::vector<std::string> ctest{"ctest", "--test-dir", Path("build")};
    ctest.insert(ctest.end(), options.begin(), options.end());
    const int status = RunProgramWith(ctest);
    WaitFor("the delivery after ctest", [&] { return !Waits(); });
    return status;
  }

  static json Latest() { return json::parse(Run({"show", "latest", "--json"}).out); }

  static void ExpectCrash(const json& latest, const std::string& test, const std::string& how) {
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
    EXPECT_EQ(latest["run"]["total_tests"], 2) << "the tests after it did not run";
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

class EveryCrash : public CrashesTest, public testing::WithParamInterface<Crash> {};

TEST_P(EveryCrash, IsNamedByFlakyRun) {
  const Crash& crash = GetParam();
  std::vector<std::string> command = Command(crash);
  command.insert(command.begin(), {FLAKY_PROGRAM, "run", "--"});
  RunProgramWith(command);
  EXPECT_EQ(Content(Path("err")).find("flaky:"), std::string::npos) << Content(Path("err"));
  const json latest = Latest();
  ExpectCrash(latest, crash.name, crash.message_of_parent);
  EXPECT_EQ(latest["failures"][0]["signal"], crash.signal.empty() ? json() : json(crash.signal));
}

TEST_P(EveryCrash, IsNamedUnderPlainCtest) {
  const Crash& crash = GetParam();
  RunCtest(Command(crash));
  const json latest = Latest();
  ExpectCrash(latest, crash.name, crash.message_of_ctest);
  EXPECT_EQ(latest["failures"][0]["signal"], json()) << "only ctest knows it";
}

INSTANTIATE_TEST_SUITE_P(All, EveryCrash, testing::ValuesIn(kAllCrashes),
                         [](const auto& crash) { return crash.param.name; });

TEST_F(CrashesTest, AnExitIsAFailureAlthoughCtestReportsAPass) {
  EXPECT_EQ(RunCtest({kCrashes, "--gtest_filter=Before.*:Dies.ByExit0"}), 0);
  EXPECT_THAT(Content(Path("out")), HasSubstr("100% tests passed"));
  const json latest = Latest();
  ASSERT_THAT(latest["failures"], SizeIs(1));
  EXPECT_EQ(latest["failures"][0]["test_name"], "Dies.ByExit0");
  EXPECT_EQ(latest["failures"][0]["failure_kind"], "uncaught");
  EXPECT_EQ(latest["failures"][0]["error_message"], "the test called exit(0); later tests in this process did not run");
  EXPECT_GE(latest["failures"][0]["duration_ms"], 50);
  EXPECT_EQ(latest["run"]["status"], "fail");
}

// ctest stops and kills a test that exceeds its TIMEOUT; the process itself cannot record that. The limits are long
// enough for the process to reach its test on a busy machine.
class Timeouts : public CrashesTest {
 protected:
  static void ExpectTimeout(double seconds, const std::string& limit) {
    const json latest = Latest();
    ASSERT_THAT(latest["failures"], SizeIs(1)) << latest.dump(1);
    const json& failure = latest["failures"][0];
    EXPECT_EQ(failure["test_name"], "Dies.ByHanging");
    EXPECT_EQ(failure["failure_kind"], "timeout") << failure.dump(1);
    EXPECT_EQ(failure["error_message"],
              "did not finish: the process was ended at its time limit of " + limit + " s in this test");
    // The limit includes the start of the process, which takes long on a busy machine.
    EXPECT_GE(failure["duration_ms"], seconds * 250);
    EXPECT_EQ(failure["preceding_test"], "Before.Passes");
  }
  const std::vector<std::string> command_{kCrashes, "--gtest_filter=Before.*:Dies.ByHanging"};
};

TEST_F(Timeouts, OfTheTestAreNamed) {
  RunCtest(command_, "TIMEOUT 4.25");
  ExpectTimeout(4.25, "4.25");
}

TEST_F(Timeouts, OfTheCommandLineAreNamed) {
  RunCtest(command_, "", {"--timeout", "4"});
  ExpectTimeout(4, "4");
}

TEST_F(Timeouts, OfTheDashboardsConfigurationAreNamed) {
  WriteFile("build/DartConfiguration.tcl", "SourceDirectory: /nowhere\nTimeOut: 4\n");
  RunCtest(command_);
  ExpectTimeout(4, "4");
}

// The other ctest that is asked for the limits must not write to this one's folder.
TEST_F(Timeouts, TheLogOfCtestStays) {
  RunCtest(command_, "TIMEOUT 4");
  ExpectTimeout(4, "4");
  EXPECT_THAT(Content(Path("build/Testing/Temporary/LastTest.log")),
              AllOf(HasSubstr("1/2 Testing: the_test"), HasSubstr("2/2 Testing: observed")));
}

TEST_F(Timeouts, UnderFlakyRunAreNamed) {
  WriteFile("build/CTestTestfile.cmake", "add_test(hangs " + command_[0] + " " + command_[1] +
                                             ")\nset_tests_properties(hangs PROPERTIES TIMEOUT 4)\n");
  RunProgramWith({FLAKY_PROGRAM, "run", "--", "ctest", "--test-dir", Path("build")});
  ExpectTimeout(4, "4");
  EXPECT_EQ(Latest()["run"]["errors_between_tests"], 0);
}

TEST_F(Timeouts, AreNotBlamedForAnEarlierCrash) {
  RunCtest(Command(kAllCrashes[2]), "TIMEOUT 600");
  ExpectCrash(Latest(), "ByAbort", "died");
}

// A cgroup with a memory limit. Its path is empty if this user may not create one.
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

TEST_F(CrashesTest, AnOutOfMemoryKillIsNamed) {
  const MemoryLimit limit(int64_t{48} << 20);
  if (limit.path().empty()) {
    ASSERT_NE(::geteuid(), 0u) << "root could not create a memory cgroup under /sys/fs/cgroup";
    GTEST_SKIP() << "only root may create a memory cgroup";
  }
  const std::string join = "echo $$ > " + limit.path() + "/cgroup.procs && exec \"$0\" \"$@\"";
  const int status = RunProgramWith(
      {FLAKY_PROGRAM, "run", "--", "sh", "-c", join, kCrashes, "--gtest_filter=Before.*:Dies.ByLackOfMemory"});
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  const json latest = Latest();
  ASSERT_THAT(latest["failures"], SizeIs(1));
  const json& failure = latest["failures"][0];
  EXPECT_EQ(failure["test_name"], "Dies.ByLackOfMemory");
  EXPECT_EQ(failure["failure_kind"], "uncaught");
  EXPECT_EQ(failure["signal"], "SIGKILL");
  EXPECT_EQ(failure["error_message"],
            "did not finish: the process was ended by SIGKILL in this test; the kernel's OOM killer was "
            "active at the time");
  EXPECT_GE(failure["duration_ms"], 50);
}

TEST_F(CrashesTest, RepeatedUntilItPassesEveryAttemptIsKept) {
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

TEST_F(CrashesTest, RepeatedByGoogleTestEveryAttemptIsKept) {
  RunProgramWith({FLAKY_FIXTURES "/behaviours", "--gtest_filter=Repeat.FailsInTheSecond", "--gtest_repeat=5"});
  const json latest = Latest();
  ASSERT_THAT(latest["failures"], SizeIs(1));
  EXPECT_EQ(latest["failures"][0]["attempt"], 1);
  ASSERT_THAT(latest["flaky"], SizeIs(1));
  EXPECT_EQ(latest["flaky"][0]["failed_attempts"], 1);
  EXPECT_EQ(latest["flaky"][0]["passed_attempts"], 4);
}

TEST_F(CrashesTest, RunsWithoutFlakyTestsShowNone) {
  RunProgramWith({FLAKY_FIXTURES "/behaviours", "--gtest_filter=Plain.Fails"});
  EXPECT_THAT(Latest()["flaky"], IsEmpty());
  EXPECT_EQ(Run({"show", "latest"}).out.find("flaky in this run"), std::string::npos);
}

}  // namespace
}  // namespace flaky

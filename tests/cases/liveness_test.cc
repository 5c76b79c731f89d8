// SPDX-License-Identifier: MIT

// Whether a test program still runs, asked from other name spaces. Needs root for the name spaces.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>

#include "tests/cli/program_fixture.h"
#include "tests/support/wait_for.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string kCrashes = FLAKY_FIXTURES "/crashes";
const std::string kHangs = kCrashes + " --gtest_filter=Before.*:Dies.ByHanging";

class Liveness : public ProgramTest {
 protected:
  Liveness() {
    Set("FLAKY_TESTS_PROGRAM", FLAKY_PROGRAM);
    Set("FLAKY_TESTS_SPOOL", Path("spool"));
    Set("FLAKY_TESTS_DELIVERY_TIMEOUT", "0");
    Unset("GTEST_OUTPUT");
  }
  void SetUp() override {
    if (Shell("unshare --fork --pid --mount-proc true") == 0) return;
    ASSERT_NE(::geteuid(), 0u) << "root cannot create a pid name space";
    GTEST_SKIP() << "this user may not create a pid name space";
  }
  ~Liveness() override {
    if (child_ > 0) {
      ::kill(-child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
  }

  int Shell(const std::string& command) const {
    return WEXITSTATUS(std::system(("{ " + command + "; } > '" + Path("out") + "' 2> '" + Path("err") + "'").c_str()));
  }

  void Start(const std::string& command) {
    child_ = ::fork();
    if (child_ == 0) {
      ::setpgid(0, 0);
      ::execlp("sh", "sh", "-c", (command + " > /dev/null 2>&1").c_str(), nullptr);
      ::_exit(99);
    }
    WaitFor("the test that hangs", [&] {
      if (!std::filesystem::exists(Path("spool"))) return false;
      for (const std::string& name : InSpool()) {
        if (Content(Path("spool/" + name)).find("Dies.ByHanging\"") != std::string::npos) return true;
      }
      return false;
    });
  }

  // Replaces a field of the header of the only journal, whose writer has ended.
  void ChangeHeader(const std::string& field, const std::string& value) {
    const std::string path = "spool/" + InSpool().front();
    const std::string text = Content(Path(path));
    const std::string changed =
        std::regex_replace(text, std::regex("\"" + field + "\":[^,]+"), "\"" + field + "\":" + value);
    ASSERT_NE(changed, text);
    WriteFile(path, changed);
  }

  pid_t child_ = 0;
};

// Case 41 of the field: each job in its own container, the spool on a common volume.
TEST_F(Liveness, OfAFinishedContainerIsKnownToTheKernel) {
  const std::string box = "unshare --fork --pid --mount-proc --uts sh -c ";
  Shell(box + "'hostname job1; " + kCrashes + " --gtest_filter=Dies.ByAbort'");
  ASSERT_THAT(InSpool(), SizeIs(1));
  EXPECT_EQ(Shell(box + "'hostname job2; " FLAKY_PROGRAM " deliver'"), 0);
  EXPECT_THAT(Content(Path("out")), AllOf(HasSubstr("delivered 1 run"), Not(HasSubstr("running"))));
  EXPECT_THAT(InSpool(), IsEmpty());
  const json latest = json::parse(Run({"show", "latest", "--json"}).out);
  EXPECT_EQ(latest["parts"][0]["ended_early"][0]["test"], "Dies.ByAbort");
}

TEST_F(Liveness, OfAnotherContainerIsRunningWhileTheKernelSaysSo) {
  Start("unshare --fork --pid --mount-proc " + kHangs);
  EXPECT_EQ(Shell("unshare --fork --pid --mount-proc " FLAKY_PROGRAM " deliver"), 0);
  EXPECT_THAT(Content(Path("out")), HasSubstr("nothing to deliver; 1 test program still running"));
  EXPECT_THAT(InSpool(), SizeIs(1));
}

TEST_F(Liveness, OfAnotherMachineIsUnknown) {
  Shell(kCrashes + " --gtest_filter=Dies.ByAbort");
  ASSERT_THAT(InSpool(), SizeIs(1));
  ChangeHeader("boot_id", "\"11111111-2222-3333-4444-555555555555\"");
  ChangeHeader("host", "\"elsewhere\"");
  const Outcome deliver = Run({"deliver"});
  EXPECT_EQ(
      deliver.out,
      "nothing to deliver; 1 test program may still be running: in another container or on another machine, which "
      "cannot be observed from here\n");
  EXPECT_EQ(json::parse(Run({"deliver", "--json"}).out)["unknown"], 1);
  EXPECT_EQ(json::parse(Run({"deliver", "--json"}).out)["running"], 0);
  EXPECT_THAT(Run({"doctor"}).out,
              AllOf(HasSubstr("1 test program may still be running"), Not(HasSubstr("are still"))));
  EXPECT_THAT(Run({"runs"}).err, HasSubstr("1 test program may still be running"));
  EXPECT_THAT(InSpool(), SizeIs(1)) << "it is not taken for dead";
}

// A time name space, as CRIU makes it, moves the clock in which the starts of processes are measured.
TEST_F(Liveness, OfAProgramWithAnotherClockIsNotDecidedByTheClock) {
  if (Shell("unshare --time --boottime 1000 --fork true") != 0) {
    GTEST_SKIP() << "this kernel has no time name spaces: " << Content(Path("err"));
  }
  for (const std::string offset : {"-1000", "1000"}) {
    // The clock of a machine that has just started cannot be moved back that far.
    if (offset == "-1000" && Shell("unshare --time --boottime -1000 --fork true") != 0) continue;
    Start("unshare --time --boottime " + offset + " --fork " + kHangs);
    const Outcome deliver = Run({"deliver"});
    EXPECT_EQ(deliver.out, "nothing to deliver; 1 test program still running\n") << offset;
    EXPECT_THAT(InSpool(), SizeIs(1)) << offset;
    ::kill(-child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    WaitFor("the end of the program", [&] { return ::kill(-child_, 0) != 0; });
    child_ = 0;
    const Outcome later = Run({"deliver"});
    EXPECT_THAT(InSpool(), IsEmpty()) << later.out << later.err;
  }
}

// A process that has the number of a test program, but started later, is not that program.
TEST_F(Liveness, OfANumberThatWasUsedAgainIsOver) {
  Shell(kCrashes + " --gtest_filter=Dies.ByAbort");
  ChangeHeader("pid", std::to_string(::getpid()));
  ChangeHeader("pid_seen", "1");
  EXPECT_THAT(Run({"deliver"}).out, HasSubstr("delivered 1 run"));
}

}  // namespace
}  // namespace flaky

// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <gmock/gmock.h>
#include <spawn.h>
#include <sys/wait.h>

#include "cli/exit_code.h"
#include "cli/output/log.h"
#include "stores/error.h"
#include "tests/cli/program_fixture.h"

namespace flaky {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::StartsWith;

class RunProgramTest : public ProgramTest {
 protected:
  // Runs the program as users do, with standard output to this descriptor, and returns its exit code.
  static int Start(const std::vector<std::string>& arguments, int out) {
    std::vector<std::string> words = arguments;
    words.insert(words.begin(), FLAKY_PROGRAM);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_addopen(&actions, 2, "stderr.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t child = 0;
    const int error = ::posix_spawn(&child, FLAKY_PROGRAM, &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return -error;
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }
  std::string Stderr() const { return Content(Path("work/stderr.txt")); }

  void KeepMany() {
    std::vector<RunRecord> records;
    for (int i = 0; i < 3000; ++i) {
      records.push_back(BuildRecord("run-" + std::to_string(10'000 + i)).StartedAt(At(i)).Project("demo").Build());
    }
    Keep(records);
  }
};

TEST_F(RunProgramTest, WithoutACommandHelpIsPrintedAsAnError) {
  const Outcome outcome = Run({});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, Run({"--help"}).out);
}

TEST_F(RunProgramTest, HelpAndVersionGoToStandardOutput) {
  EXPECT_THAT(Run({"--version"}).out, MatchesRegex("flaky [0-9]+\\.[0-9]+\\.[0-9]+\n"));
  EXPECT_EQ(Run({"--version"}).code, 0);
  const Outcome help = Run({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.err, IsEmpty());
  EXPECT_THAT(help.out, StartsWith("Keeps the history of GoogleTest runs and tells flaky tests from broken ones.\n\n"
                                   "Usage: flaky COMMAND [OPTIONS]\n"));
}

TEST_F(RunProgramTest, LogSetsHowMuchIsPrinted) {
  Keep({});
  EXPECT_THAT(Run({"runs"}).err, StartsWith("flaky: sqlite:" + Path("h.db") + " has no run yet"));
  Set("FLAKY_TESTS_LOG", "error");
  EXPECT_EQ(Run({"runs"}).err, "");
  EXPECT_THAT(Run({"show", "x"}).err, StartsWith("flaky: `x` is neither a run"));
  Set("FLAKY_TESTS_LOG", "silent");
  EXPECT_EQ(Run({"show", "x"}).err, "");
  EXPECT_EQ(Run({"show", "x"}).code, 2);
  Set("FLAKY_TESTS_LOG", "debug");
  EXPECT_THAT(Run({"runs"}).err, HasSubstr("flaky: reading sqlite:" + Path("h.db") + "\n"));
}

TEST_F(RunProgramTest, AnInvalidLogLevelIsAWarning) {
  Keep({BuildRecord("r1").Project("demo").Build()});
  Set("FLAKY_TESTS_LOG", "loud");
  const Outcome outcome = Run({"runs"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("r1"));
  EXPECT_EQ(outcome.err,
            "flaky: FLAKY_TESTS_LOG (in the environment): invalid value; expected silent, error, warn or debug\n");
}

TEST_F(RunProgramTest, MessagesGoToTheLogFile) {
  Keep({});
  Set("FLAKY_TESTS_LOG_FILE", Path("flaky.log"));
  EXPECT_EQ(Run({"runs"}).err, "");
  EXPECT_THAT(Run({"show", "x\ny"}).err, StartsWith("flaky: `x\\ny` is neither a run"))
      << "errors are also printed to stderr";
  const std::string log = Content(Path("flaky.log"));
  const std::string time = "[0-9-]+T[0-9:.]+Z";
  EXPECT_THAT(log, MatchesRegex(time + " warn flaky\\[[0-9]+\\]: [^\n]* has no run yet\n" + time +
                                " error flaky\\[[0-9]+\\]: [^\n]* is neither a run[^\n]*\n"));
  EXPECT_EQ(std::filesystem::status(Path("flaky.log")).permissions(), std::filesystem::perms(0600));
}

TEST_F(RunProgramTest, ALogFileThatCannotBeWrittenLosesNothing) {
  Keep({});
  Set("FLAKY_TESTS_LOG_FILE", Path("none/flaky.log"));
  const Outcome outcome = Run({"runs"});
  EXPECT_EQ(outcome.code, 6);
  EXPECT_THAT(outcome.err,
              StartsWith("flaky: FLAKY_TESTS_LOG_FILE: cannot write " + Path("none/flaky.log") +
                         ": No such file or directory\nflaky: sqlite:" + Path("h.db") + " has no run yet\n"));
}

TEST_F(RunProgramTest, AFailedDeliveryDoesNotHideTheHistory) {
  Keep({BuildRecord("r1").Project("demo").Build()});
  WriteFile("spool", "this is not a folder");
  Set("FLAKY_TESTS_SPOOL", Path("spool"));
  const Outcome outcome = Run({"runs"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("\nr1 "));
}

TEST_F(RunProgramTest, AClosedPipeIsNotAnError) {
  KeepMany();
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ::close(ends[0]);
  EXPECT_EQ(Start({"runs", "--limit", "3000"}, ends[1]), 0);
  ::close(ends[1]);
  EXPECT_EQ(Stderr(), "");
}

TEST_F(RunProgramTest, StandardOutputToAFullDiskIsAnError) {
  KeepMany();
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  EXPECT_EQ(Start({"runs", "--limit", "3000"}, full), 2);
  EXPECT_THAT(Stderr(), StartsWith("flaky: cannot write to standard output"));
  EXPECT_EQ(Start({"--version"}, full), 2) << "even if all of it fits into the buffer";
  ::close(full);
}

TEST_F(RunProgramTest, TheExecutablePrintsWhatRunProgramDoes) {
  KeepMany();
  const int file = ::open("stdout.txt", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  EXPECT_EQ(Start({"runs"}, file), 0);
  ::close(file);
  EXPECT_EQ(Content("stdout.txt"), Run({"runs"}).out);
}

TEST(ExitCodeTest, EveryKindOfErrorHasOne) {
  const auto code = [](ErrorKind kind, const std::string& vendor_code = "") {
    return ExitCodeOf(StoreError(kind, "store", "operation", vendor_code, "detail"));
  };
  EXPECT_EQ(code(ErrorKind::kTransient), ExitCode::kUnreachable);
  EXPECT_EQ(code(ErrorKind::kTransient, "SQLITE_BUSY"), ExitCode::kLocked);
  EXPECT_EQ(code(ErrorKind::kTransient, "SQLITE_BUSY, 517"), ExitCode::kLocked);
  EXPECT_EQ(code(ErrorKind::kTransient, "SQLITE_LOCKED"), ExitCode::kLocked);
  EXPECT_EQ(code(ErrorKind::kTransient, "55P03"), ExitCode::kLocked);
  EXPECT_EQ(code(ErrorKind::kAuth), ExitCode::kAuth);
  EXPECT_EQ(code(ErrorKind::kMissing), ExitCode::kUnreachable);
  EXPECT_EQ(code(ErrorKind::kConflict), ExitCode::kPartial);
  EXPECT_EQ(code(ErrorKind::kSchemaTooNew), ExitCode::kSchemaTooNew);
  EXPECT_EQ(code(ErrorKind::kInvalid), ExitCode::kUsage);
  EXPECT_EQ(code(ErrorKind::kPermanent), ExitCode::kUsage);
}

}  // namespace
}  // namespace flaky
